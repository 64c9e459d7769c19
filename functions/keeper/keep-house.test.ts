import { afterEach, beforeEach, expect, test } from 'vitest'
import { retentions } from '../../shared/store/retention.ts'
import { quiet } from '../../test/pipeline.ts'
import { createWorld, type World } from '../../test/world.ts'
import { keeperOf, minutes, tickAt } from './testing/scenes.ts'

/** What a tick ends because its time is over, and what it deletes because it was kept long enough. */
const day = 24 * 60 * minutes
const alice = 'alice.johnson@company.com'
let world: World
beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world.close())

const repair = () => keeperOf(world).take(tickAt(world.pipeline.now()))
const keepHouse = () => keeperOf(world).take({ ...tickAt(world.pipeline.now()), data: { task: 'keep-house' } })
const countOf = async (table: string): Promise<number> => {
  const [row] = await world.db.database<
    { rows: number }[]
  >`select count(*)::int as rows from ${world.db.database(table)}`
  return row?.rows ?? -1
}
/** Without the keeper's own lease. */
const finished = async () => (await world.db.database`select 1 from inbox where state = 'finished'`).length
/** What a conversation leaves behind. */
const traces = [
  'sessions',
  'requests',
  'messages',
  'turns',
  'steps',
  'deliveries',
  'approvals',
  'tool_calls',
  'inbox',
  'writes',
]

test('a session whose two weeks are over is closed by the tick, and its open question with it', async () => {
  for (const text of ['refresh', 'I would like to see the options', '3']) await world.pipeline.say(alice, text)
  world.pipeline.pass(13 * day)
  await repair()
  expect(await world.db.database`select state from sessions`).toMatchObject([{ state: 'open' }])
  world.pipeline.pass(2 * day)
  await repair()
  expect(await world.db.database`select state from sessions`).toMatchObject([{ state: 'closed' }])
  expect(await world.db.database`select state from approvals`).toMatchObject([{ state: 'expired' }])
  expect((await world.pipeline.say(alice, 'proceed')).response?.content).not.toContain('REQ')
})

test('a session in which something is said now and then is not closed', async () => {
  for (const text of ['refresh', 'I would like to see the options', 'tokens']) {
    await world.pipeline.say(alice, text)
    world.pipeline.pass(13 * day)
    await repair()
  }
  await world.pipeline.say(alice, 'hello')
  expect(await world.db.database`select state from sessions`).toMatchObject([{ state: 'open' }])
})

test('a session in which a turn is under way is left to that turn', async () => {
  const { event } = await world.pipeline.accept(alice, 'hello')
  await world.pipeline.handlers.normalize(event, quiet)
  world.pipeline.pass(15 * day)
  await world.db.database`update sessions set pending_since = ${world.pipeline.now()}`
  await repair()
  expect(await world.db.database`select state from sessions`).toMatchObject([{ state: 'open' }])
})

test('nothing is deleted before its time, everything after it, and other conversations stay', async () => {
  for (const text of ['refresh', 'I would like to see the options', '3', 'proceed'])
    await world.pipeline.say(alice, text)
  await keepHouse()
  const before = await Promise.all(traces.map(countOf))
  expect(before.every((rows) => rows > 0)).toBe(true)
  world.pipeline.pass(29 * day)
  await keepHouse()
  expect(await Promise.all(traces.map(countOf))).toEqual(before)

  await repair()
  world.pipeline.pass(200 * day)
  // The inbox lives by the database's clock.
  await world.db.database`update inbox set finished_at = finished_at - interval '300 days'`
  await world.pipeline.say('john.doe@company.com', 'hello')
  await keepHouse()
  for (const table of ['approvals', 'tool_calls', 'writes']) expect([table, await countOf(table)]).toEqual([table, 0])
  for (const table of ['sessions', 'requests', 'turns']) expect([table, await countOf(table)]).toEqual([table, 1])
  expect(await countOf('messages')).toBe(2)
})

test('a large backlog is deleted in batches that nobody waits long for', async () => {
  await world.db.database`
    insert into inbox (consumer, source, event, state, received_at, finished_at)
    select 'agent', '/x', 'e' || n, 'finished', now() - interval '100 days', now() - interval '100 days'
    from generate_series(1, 15000) n`
  await keepHouse()
  expect(await finished()).toBe(0)
})

test('one kind that cannot be deleted does not keep the others', async () => {
  const [first] = retentions
  await world.db
    .database`insert into inbox (consumer, source, event, state, finished_at) values ('a', 'b', 'c', 'finished', '2020-01-01')`
  await world.db.database`
    insert into writes (key, tool, arguments_hash, person, state, not_after, claimed_at, finished_at)
    values (gen_random_uuid(), 't', 'h', 'p', 'refused', '2020-01-01', '2020-01-01', '2020-01-01')`
  await world.db.database`create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$`
  await world.db.database`create trigger refuse before delete on inbox for each row execute function refuse()`
  await expect(keepHouse()).rejects.toMatchObject({ code: 'stage.failed' })
  expect(first?.name).toBe('inbox')
  expect(await finished()).toBe(1)
  expect(await countOf('writes')).toBe(0)
})
