import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgresDriver from 'postgres'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { removePostgres } from '../local/postgres/remove.ts'
import { type RunningPostgres, startPostgres } from '../local/postgres/start.ts'
import { eventTypes } from '../shared/events/catalogue.ts'
import { buildEvent } from '../shared/events/event.ts'
import { checkStore } from '../shared/store/check.ts'
import { connect, type Database } from '../shared/store/connect.ts'
import { migrate, readMigrations } from '../shared/store/migrate.ts'
import { findAnswered } from '../shared/store/requests.ts'
import { type ComposedWorld, composeWorld } from './compose-world.ts'
import { quiet } from './pipeline.ts'

/**
 * Law 8 by what Postgres itself was sent: everything that the functions say, as its log has it. A pooler in transaction
 * mode gives each transaction to any of its connections, so nothing may outlive one. bench/load runs the same functions
 * behind a real PgBouncer.
 */
let folder: string
let server: RunningPostgres
let admin: Database

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'self-service-agent-pooler-'))
  const log = { log_statement: 'all', log_line_prefix: '[%p] %q%a ' }
  server = await startPostgres({ folder, port: 0, settings: { fsync: 'off', ...log } })
  admin = connect(server.url, { max: 1, name: 'admin' })
  await migrate(admin, await readMigrations(join(import.meta.dirname, '../shared/store/migrations')))
})
afterAll(async () => {
  await admin.end()
  await server.stop('immediate')
  await removePostgres(folder)
})

test('nothing that the functions say to Postgres outlives its transaction', async () => {
  const database = connect(server.url, { name: 'functions' })
  const world = await composeWorld(database)
  try {
    await converse(world, database)
    await checkStore(database)
  } finally {
    await world.close()
    await database.end()
  }
  const said = await saidBy('functions')
  // All of it is there: the conversation's steps, and the transactions around them.
  expect(said.length).toBeGreaterThan(200)
  expect(said.filter(({ text }) => text === 'commit').length).toBeGreaterThan(20)
  expect(said.filter(({ text }) => text.startsWith('set local ')).length).toBeGreaterThan(20)
  expect(faultsOf(said)).toEqual([])
})

test.each([
  ['listen', (database: Database) => database`listen anything`],
  ['session advisory lock', (database: Database) => database`select pg_try_advisory_lock(1)`],
  ['setting', (database: Database) => database`set work_mem = '8MB'`],
  ['setting', (database: Database) => database.unsafe("select set_config('work_mem', '8MB', false)")],
  ['setting', (database: Database) => database`set local work_mem = '8MB'`],
  ['temporary table', (database: Database) => database`create temporary table things (name text)`],
  ['prepared statement', (database: Database) => database`select ${1}::int`],
  ['prepared statement', (database: Database) => database`prepare later as select 1`],
])('a %s would be seen', async (kind, say) => {
  const name = `planted ${Math.random()}`
  const careless = postgresDriver(server.url, { max: 1, connection: { application_name: name }, onnotice: () => {} })
  await say(careless)
  await careless.end()
  const found = await vi.waitFor(async () => {
    const faults = faultsOf(await saidBy(name))
    expect(faults).not.toEqual([])
    return faults
  })
  expect(found.join()).toContain(kind)
})

/** A laptop's whole way, questions with and without the model, and a tick. */
async function converse({ pipeline }: ComposedWorld, database: Database): Promise<void> {
  const alice = 'alice.johnson@company.com'
  for (const message of ['refresh', 'yes', '3', 'yes', 'my open requests', 'I forgot my password', 'tokens', 'reset']) {
    const request = await pipeline.say(alice, message)
    expect(request.state).toBe('answered')
    expect(await findAnswered(database, [request.id])).toHaveLength(1)
  }
  const tick = {
    type: eventTypes.tick,
    source: '/ping',
    subject: 'tick',
    time: pipeline.now(),
    data: { task: 'repair' },
  }
  const chain = { correlation: 'tick', traceparent: '', hops: 0 }
  await pipeline.handlers.keeper(buildEvent({ ...tick, cause: ['tick'], chain }), quiet)
}

interface Statement {
  connection: string
  /** Name of the prepared statement; null where it was not sent as one. */
  prepared: string | null
  /** In lower case, each run of blanks as one. */
  text: string
}

/** What a client of that name said, in order, from Postgres' log. */
async function saidBy(name: string): Promise<Statement[]> {
  const log = await readFile(join(server.folder, 'log'), 'utf8')
  // A statement's further lines begin with a tab.
  const entries = log.replaceAll('\n\t', ' ').split('\n')
  return entries.flatMap((entry) => {
    const [, connection = '', client, , prepared, text] =
      entry.match(/^\[(\d+)\] (.*?) LOG: {2}(statement|execute ([^:]+)): (.*)$/) ?? []
    if (client !== name || text === undefined) return []
    const named = prepared === undefined || prepared === '<unnamed>' ? null : prepared
    return [{ connection, prepared: named, text: text.trim().replaceAll(/\s+/g, ' ').toLowerCase() }]
  })
}

function faultsOf(said: Statement[]): string[] {
  const inTransaction = new Set<string>()
  const faults: string[] = []
  for (const { connection, prepared, text } of said) {
    if (/^(begin|start transaction)\b/.test(text)) inTransaction.add(connection)
    if (/^(commit|rollback|end)$/.test(text)) inTransaction.delete(connection)
    const found = (kind: string) => faults.push(`${kind}: ${text.slice(0, 200)}`)
    if (prepared !== null || /^(prepare|execute|deallocate)\b/.test(text)) found('prepared statement')
    if (/^(listen|unlisten|notify)\b|\bpg_notify\b/.test(text)) found('listen or notify')
    if (/\bpg_(try_)?advisory_(lock|unlock)/.test(text)) found('session advisory lock')
    const local = /^set (local|transaction)\b/.test(text)
    if (/^(set|reset)\b/.test(text) && !(local && inTransaction.has(connection))) found('setting')
    if (/\bset_config\b/.test(text) && !/set_config\([^)]*, true\)/.test(text)) found('setting')
    if (/\bcreate (local |global )?temp/.test(text)) found('temporary table')
    if (/^declare\b.*\bwith hold\b/.test(text)) found('cursor')
  }
  return faults
}
