import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWorld, type World } from '../../test/world.ts'
import { erasePerson } from './erase.ts'
import { describeSchema } from './schema.ts'

/** One command deletes all that is kept about a person, and nothing that is kept about others. */
let world: World
const alice = 'alice.johnson@company.com'
const other = 'john.doe@company.com'
const options = { by: 'ops@company.com', now: new Date('2026-11-25T09:00:00Z'), dry: false }
beforeAll(async () => {
  world = await createWorld()
  for (const email of [alice, other]) {
    for (const text of ['refresh', 'I would like to see the options', '3', 'proceed', 'is there a policy on travel?']) {
      await world.pipeline.say(email, text)
    }
    await world.db.database`
      insert into dead_letters (id, event, event_type, outcome, received_at)
      values (gen_random_uuid(), ${`{"data":"\\u0000"}`}, 'x', 'recorded', now())`
    // One that is still under way, and one that is given up.
    const { event } = await world.pipeline.accept(email, 'hello')
    await world.pipeline.handlers.keeper(
      { ...event, knativeerrordest: 'http://normalize.x.svc', knativeerrorcode: 422 },
      { log: { debug() {}, info() {}, warn() {}, error() {} } as never },
    )
    await world.pipeline.accept(email, 'and one more')
  }
})
afterAll(() => world.close())

/** Every row of every table as text, with the words that name this person marked. */
async function rowsThatName(email: string): Promise<string[]> {
  const sql = world.db.database
  const sessions = await sql<{ id: string }[]>`
    select s.id from sessions s join people p on p.id = s.person where p.email = ${email}`
  const words = [email, ...sessions.map(({ id }) => id), ...known]
  const found: string[] = []
  for (const { table } of await sql<{ table: string }[]>`
    select tablename as table from pg_tables where schemaname = 'public'`) {
    for (const { row } of await sql<{ row: string }[]>`select t::text as row from ${sql(table)} t`) {
      if (words.some((word) => row.includes(word))) found.push(`${table}: ${row.slice(0, 200)}`)
    }
  }
  return found
}
let known: string[] = []

test('a dry run counts what a real one deletes, and changes nothing', async () => {
  const before = await rowsThatName(alice)
  const counted = await erasePerson(world.db.database, { ...options, email: alice, dry: true })
  expect(counted).toMatchObject({ people: 1, sessions: 1, turns: 5, writes: 1, dead_letters: 1 })
  expect(await rowsThatName(alice)).toEqual(before)
})

test('nothing that names the person is left, and the others keep all they had', async () => {
  const others = await rowsThatName(other)
  const sessions = await world.db.database<{ id: string }[]>`
    select s.id from sessions s join people p on p.id = s.person where p.email = ${alice}`
  known = sessions.map(({ id }) => id)
  const erased = await erasePerson(world.db.database, { ...options, email: alice })
  expect(erased).toMatchObject({ people: 1, sessions: 1, turns: 5, writes: 1, dead_letters: 1 })
  expect(await rowsThatName(alice)).toEqual([])
  known = []
  expect(await rowsThatName(other)).toEqual(others)
  expect(await world.db.database`select erased_by, rows from erasures`).toMatchObject([
    { erased_by: 'ops@company.com', rows: { people: 1 } },
  ])
})

test('whoever is not known is said to be unknown, and who comes back starts afresh', async () => {
  expect(await erasePerson(world.db.database, { ...options, email: 'nobody@company.com' })).toBeNull()
  expect(await erasePerson(world.db.database, { ...options, email: alice })).toBeNull()
  expect((await world.pipeline.say(alice, 'hello')).state).toBe('answered')
})

test('every table is either named by the erasure, hangs on one that is, or holds nothing personal', async () => {
  const tables = new Set(
    (await describeSchema(world.db.database)).match(/^table \w+/gm)?.map((line: string) => line.slice(6)),
  )
  const covered = [
    ...[
      'attachments',
      'inbox',
      'dead_letters',
      'delivery_targets',
      'turns',
      'messages',
      'requests',
      'writes',
      'sessions',
      'approvals',
      'webhooks',
      'identity_links',
      'audit',
      'api_keys',
      'people',
    ],
    // By their foreign keys.
    ...['identities', 'steps', 'tool_calls', 'deliveries', 'preferences', 'feedback', 'handoffs'],
    // Nothing about employees.
    ...['knowledge_sources', 'records', 'passages', 'spellings', 'migrations', 'erasures', 'mailboxes'],
  ]
  expect([...tables].sort()).toEqual(covered.sort())
})
