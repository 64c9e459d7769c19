import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createKeeper } from '../functions/keeper/keep.ts'
import { startPostgres } from '../local/postgres/start.ts'
import { eventTypes } from '../shared/events/catalogue.ts'
import { connect } from '../shared/store/connect.ts'
import { migrate, readMigrations } from '../shared/store/migrate.ts'
import { retentions } from '../shared/store/retention.ts'
import { createLog } from '../shared/telemetry/log.ts'
import { machineLine, quantiles, round } from './load/figures.ts'
import { fillWithOldRows } from './retention/fill.ts'
import { runForeground } from './retention/foreground.ts'
import { everyMs, slowMs, watchLocks } from './retention/watch-locks.ts'

const usage = `Usage: npm run bench:retention -- [--rows 200000] [--ticks 2] [--folder DIR]
Fills each table that is not kept for ever with so many old rows, lets the keeper keep house (so many ticks of 30 s)
beside a load on the same tables, and fails where the load waited for a lock, or a statement of the retention ran, longer
than 100 ms. What slow ones waited for is sampled and said. Postgres runs in a folder of its own under DIR (default: the temporary folder), with fsync on.`
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '200000' },
    ticks: { type: 'string', default: '2' },
    folder: { type: 'string', default: tmpdir() },
    help: { type: 'boolean' },
  },
})
const limitMs = 100
const lanes = 4
const say = (line: string): void => console.log(line)

async function main(): Promise<number> {
  if (values.help) {
    say(usage)
    return 0
  }
  const machine = machineLine()
  say(machine)
  const folder = await mkdtemp(join(values.folder, 'retention-'))
  const server = await startPostgres({ folder, port: 0 })
  const database = connect(server.url, { max: 2, name: 'retention' })
  const load = connect(server.url, { max: lanes, name: 'foreground' })
  const observer = connect(server.url, { max: 1, name: 'observer' })
  try {
    await migrate(database, await readMigrations(join(import.meta.dirname, '../shared/store/migrations')))
    say(`Filling with ${values.rows} rows of each kind …`)
    await fillWithOldRows(database, Number(values.rows), say)
    // What filling has left to be written is not the retention's.
    await database`checkpoint`
    const batches = timeBatches()
    const beside = async <T>(work: () => Promise<T>) => {
      const stop = new AbortController()
      const running = [runForeground(load, lanes, stop.signal), watchLocks(observer, stop.signal)] as const
      try {
        return { done: await work(), foreground: running[0], locks: running[1] }
      } finally {
        stop.abort()
      }
    }
    say('The load alone, for 10 s …')
    const alone = await beside(() => new Promise((resolve) => setTimeout(resolve, 10_000)))
    const without = quantiles(await alone.foreground)
    await alone.locks
    say(`The same beside ${values.ticks} ticks …`)
    const keeper = createKeeper({
      ...{ database, now: () => new Date(), publish: async () => {} },
      deleteObject: async () => {},
    })
    const kept = await beside(async () => {
      for (let tick = 1; tick <= Number(values.ticks); tick += 1) {
        const event = { specversion: '1.0' as const, id: `tick-${tick}`, source: '/ping', type: eventTypes.tick }
        await keeper({ ...event, data: { task: 'keep-house' } }, { log: createLog({}, { level: 'error' }) })
      }
    })
    const foreground = quantiles(await kept.foreground)
    const locks = await kept.locks
    const kinds = Object.fromEntries(
      Object.entries(batches).map(([kind, { ms, rows }]) => {
        const { p50, p99, max } = quantiles(ms)
        return [kind, { statements: ms.length, rows, p50, p99, max }]
      }),
    )
    const times = Object.values(batches).flatMap(({ ms }) => ms)
    const all = quantiles(times)
    const long = times.filter((ms) => ms > limitMs).length
    const waited = round(locks.longest['foreground'] ?? 0)
    const [settings] = await observer<{ fsync: string; version: string }[]>`
      select current_setting('fsync') as fsync, current_setting('server_version') as version`
    const passed = long === 0 && waited <= limitMs
    const report = {
      ...{ date: new Date().toISOString(), machine, postgres: settings, rows: Number(values.rows), limit_ms: limitMs },
      ...{
        passed,
        statement_ms: all,
        longest_lock_wait_ms: waited,
        slow_statements_seen: locks.slow,
        foreground_ms: { without, beside: foreground },
        kinds,
      },
    }
    const reports = join(import.meta.dirname, '../reports')
    await mkdir(reports, { recursive: true })
    await writeFile(join(reports, 'retention.json'), `${JSON.stringify(report, null, 2)}\n`)
    console.table(kinds)
    say(
      `a statement of the retention: p50 ${all.p50}, p99 ${all.p99}, at most ${all.max} ms, ${long} of ${times.length} over ${limitMs}; fsync ${settings?.fsync}`,
    )
    say(`the load waited for a lock at most ${waited} ms; p99 ${without.p99} ms alone, ${foreground.p99} ms beside it`)
    say(`what statements of more than ${slowMs} ms were seen at, each ${everyMs} ms: ${JSON.stringify(locks.slow)}`)
    say(passed ? 'passed' : `FAILED: more than ${limitMs} ms`)
    return passed ? 0 : 1
  } finally {
    await Promise.all([database, load, observer].map((pool) => pool.end({ timeout: 5 })))
    await server.stop('immediate')
    await rm(folder, { recursive: true, force: true })
  }
}

/** Has every statement of the retention note how long it took, commit included, and how many rows it deleted. */
function timeBatches(): Record<string, { ms: number[]; rows: number }> {
  const batches: Record<string, { ms: number[]; rows: number }> = {}
  for (const retention of retentions) {
    const deleteSome = retention.deleteSome.bind(retention)
    const noted = { ms: [] as number[], rows: 0 }
    batches[retention.name] = noted
    retention.deleteSome = async (...given) => {
      const began = performance.now()
      const rows = await deleteSome(...given)
      noted.ms.push(performance.now() - began)
      noted.rows += rows
      return rows
    }
  }
  return batches
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)
