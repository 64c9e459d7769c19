import { connect, type Database } from '../../shared/store/connect.ts'
import type { Pooler } from './pooler.ts'

/** What PgBouncer itself sets on a connection for its client: the parameters that it tracks. */
const tracked = [
  'application_name',
  'client_encoding',
  'DateStyle',
  'IntervalStyle',
  'TimeZone',
  'standard_conforming_strings',
]

/** What is wrong behind the pooler after a run, and whether it would have been seen. */
export async function judgePooler(pooler: Pooler): Promise<string[]> {
  const faults = [...(await tryHungTransaction(pooler)), ...(await findLeftBehind(pooler))]
  const careless = connect(pooler.url, { max: 1, name: 'load-admin' })
  try {
    await careless.unsafe(
      "set work_mem = '8MB'; listen anything; prepare later as select 1; select pg_advisory_lock(8)",
    )
  } finally {
    await careless.end({ timeout: 1 })
  }
  const planted = await findLeftBehind(pooler)
  if (planted.length < 4) faults.push(`of four things left behind on purpose only ${planted.length} were seen`)
  return faults
}

/**
 * Looks at each of the pooler's connections to Postgres for what a client left there for the next: in transaction mode
 * nobody cleans up. One sentence for each thing that was found (law 8).
 */
async function findLeftBehind(pooler: Pooler): Promise<string[]> {
  // As many transactions at once as the pooler has connections: so each gets another one, and all are looked at.
  const clients = Array.from({ length: pooler.size }, () => connect(pooler.url, { max: 1, name: 'load-admin' }))
  const console = connect(pooler.consoleUrl, { max: 1, name: 'load-console' })
  try {
    const servers = await console.unsafe<{ remote_pid: number }[]>('show servers').simple()
    const found = await Promise.all(
      clients.map(async (client) => {
        await client.unsafe('begin')
        return look(client)
      }),
    )
    const seen = new Set(found.map(({ pid }) => pid))
    const missed = servers.filter(({ remote_pid }) => !seen.has(Number(remote_pid)))
    if (missed.length > 0) return [`${missed.length} connections of the pooler were not looked at`]
    return found.flatMap(({ faults }) => faults)
  } finally {
    await Promise.all([...clients, console].map((client) => client.end({ timeout: 1 })))
  }
}

async function look(connection: Database): Promise<{ pid: number; faults: string[] }> {
  const [found] = await connection<
    { pid: number; statements: number; channels: number; locks: number; cursors: number; settings: string | null }[]
  >`
    select pg_backend_pid() as pid,
      (select count(*)::int from pg_prepared_statements where name <> '') as statements,
      (select count(*)::int from pg_listening_channels()) as channels,
      (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks,
      (select count(*)::int from pg_cursors where is_holdable) as cursors,
      (select string_agg(name || ' = ' || setting, ', ') from pg_settings where source = 'session'
        and name <> all (${`{${tracked.join(',')}}`}::text::text[])) as settings`
  if (found === undefined) throw new Error('Postgres says nothing of its own connection')
  const { pid, statements, channels, locks, cursors, settings } = found
  const counted = {
    'prepared statements': statements,
    'channels listened to': channels,
    'advisory locks': locks,
    cursors,
  }
  const faults = Object.entries(counted).flatMap(([what, count]) =>
    count === 0 ? [] : [`${count} ${what} were left on a pooled connection`],
  )
  if (settings !== null) faults.push(`left on a pooled connection: ${settings}`)
  return { pid, faults }
}

/**
 * A transaction whose process hangs is ended by Postgres also behind the pooler, its locks are free, and nothing of it
 * is committed. One sentence where that is not so.
 */
async function tryHungTransaction(pooler: Pooler): Promise<string[]> {
  const [hung, other] = [connect(pooler.url, { name: 'load-admin' }), connect(pooler.url, { name: 'load-admin' })]
  const faults: string[] = []
  try {
    await other`create table load_things (name text)`
    await other`insert into load_things values ('as it was')`
    const locked = Promise.withResolvers<void>()
    const awake = Promise.withResolvers<void>()
    const late = hung
      .begin(async (sql) => {
        await sql`update load_things set name = 'by the one that hung'`
        locked.resolve()
        await awake.promise
        await sql`select 1`
      })
      .then(
        () => 'committed',
        () => 'refused',
      )
    await Promise.race([locked.promise, late])
    const began = performance.now()
    await other.begin((sql) => sql`update load_things set name = 'by the other'`)
    const seconds = (performance.now() - began) / 1_000
    awake.resolve()
    if ((await late) !== 'refused') faults.push('a hung transaction was committed after all')
    if (seconds > 5) faults.push(`a hung transaction kept its lock for ${seconds.toFixed(1)} s`)
    const [row] = await other<{ name: string }[]>`select name from load_things`
    if (row?.name !== 'by the other') faults.push('a hung transaction overwrote what came after it')
    await hung`select 1`
    await other`drop table load_things`
  } finally {
    await Promise.all([hung.end({ timeout: 1 }), other.end({ timeout: 1 })])
  }
  return faults
}
