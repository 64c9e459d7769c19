import { afterEach, beforeEach, expect, test } from 'vitest'
import { quiet } from '../../test/pipeline.ts'
import { createWorld, type World } from '../../test/world.ts'
import { repairChores } from './repair.ts'
import { answerSomebody, leaveWaiting } from './testing/backlog.ts'
import { keeperOf, minutes, openTurn, tickAt } from './testing/scenes.ts'
import type { Chore, Due } from './work-off.ts'

/** How fast a tick lets waiting turns go: a model that is away is tried, one that is back gets the backlog. */
let world: World
beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world.close())

const tick = () => keeperOf(world).take(tickAt(world.pipeline.now()))
const countOf = async (state: string): Promise<Record<string, number>> => {
  const rows = await world.db.database<{ tenant: string; turns: number }[]>`
    select s.tenant, count(*)::int as turns from turns t join sessions s on s.id = t.session
    where t.state = ${state} group by s.tenant`
  return Object.fromEntries(rows.map(({ tenant, turns }) => [tenant, turns]))
}

/** What the next tick would do of one kind, without doing it. */
async function dueOf(name: string): Promise<string[]> {
  const parts = { database: world.db.database, publish: async () => {}, now: world.pipeline.now, log: quiet.log }
  const chore: Chore<Due> | undefined = repairChores(parts).find((one) => one.name === name)
  if (chore?.most === undefined) throw new Error(`no ${name}`)
  return (await chore.find(await chore.most(), [])).map(({ id }) => id)
}

test('a silent model is tried with twenty turns a tick, the oldest of each tenant first, and never with a late one', async () => {
  await leaveWaiting(world, { large: 60, small: 4 }, 18 * minutes)
  await tick()
  // Three minutes of the eighteen are over their time.
  expect(await countOf('failed')).toEqual({ default: 1, large: 10, small: 1 })
  expect(await countOf('open')).toEqual({ large: 17, small: 3 })
  expect(await countOf('waiting')).toEqual({ large: 33 })
  const [row] = await world.db.database<{ apart: boolean }[]>`
    select max(opened_at) filter (where state = 'open') < min(opened_at) filter (where state = 'waiting') as apart
    from turns where id in (select turn from sessions where tenant = 'large')`
  expect(row).toEqual({ apart: true })
})

test('once it has answered anybody since the last tick, the whole backlog goes', async () => {
  await leaveWaiting(world, { large: 130, small: 3 }, 5 * minutes)
  await answerSomebody(world)
  world.pipeline.pass(5 * minutes + 10_000)
  await tick()
  expect(await countOf('open')).toEqual({ large: 130, small: 3 })
})

test('an answer from before the last tick says nothing, nor does a step that asked no model', async () => {
  await leaveWaiting(world, { large: 30 }, 5 * minutes)
  await answerSomebody(world)
  world.pipeline.pass(7 * minutes)
  const { step } = await openTurn(world, 'flow@company.com')
  await world.pipeline.handlers.agent(step, quiet)
  expect(await world.db.database`select 1 from steps where finished_at = ${world.pipeline.now()}`).toHaveLength(1)
  await tick()
  expect((await countOf('open'))['large']).toBe(20)
})

test('of five thousand that wait when the model comes back, three ticks release all but what the largest tenant lends', async () => {
  await leaveWaiting(world, { large: 4_000, middle: 900, small: 100 }, 15 * minutes)
  await answerSomebody(world)
  const { database } = world.db
  const move = async (ids: string[], to: string) =>
    database`update turns set state = ${to} where id = any(${`{${ids.join(',')}}`}::text::uuid[])`
  for (let ticks = 1; ticks <= 3; ticks += 1) {
    await move(await dueOf('late turns'), 'failed')
    const released = await dueOf('waiting turns')
    expect(released.length).toBeLessThanOrEqual(2_000)
    await move(released, 'answered')
    // A smaller tenant waits for no larger one.
    expect(await countOf('waiting')).not.toHaveProperty(ticks === 1 ? 'small' : 'middle')
    world.pipeline.pass(5 * minutes)
    await answerSomebody(world)
  }
  expect(await countOf('waiting')).toEqual({})
  expect(await countOf('answered')).toMatchObject({ middle: 900, small: 100 })
  expect((await countOf('answered'))['large']).toBeGreaterThan(3_600)
})
