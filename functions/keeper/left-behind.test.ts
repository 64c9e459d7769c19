import { afterEach, beforeEach, expect, test } from 'vitest'
import { listDeadLetters, redriveDeadLetter } from '../../shared/store/redrive.ts'
import { findRequest } from '../../shared/store/requests.ts'
import { quiet } from '../../test/pipeline.ts'
import { createWorld, type World } from '../../test/world.ts'
import { minutes, openTurn, tickAt } from './testing/scenes.ts'

/** An open turn at which its session does not stand any more: no event leads to it, and somebody waits for it. */
let world: World
beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world.close())

const alice = 'alice.johnson@company.com'
const boss = 'jane.smith@company.com'

async function tick(): Promise<void> {
  await world.pipeline.handlers.keeper(tickAt(world.pipeline.now()), quiet)
  await world.pipeline.deliver()
}

const leave = () => world.db.database`update sessions set turn = null, pending_event = null`

test('is closed past its deadline with a sentence, and the question that its session stands at is put again', async () => {
  const { pipeline, db } = world
  const { id } = await openTurn(world, alice, 'hello')
  await leave()
  for (const text of ['refresh', 'yes', '3']) await pipeline.say(alice, text)
  pipeline.pass(16 * minutes)
  await tick()
  expect(await findRequest(db.database, id)).toMatchObject({
    state: 'failed',
    response: { content: expect.stringContaining('could not finish this in time') },
  })
  expect((await pipeline.say(alice, 'yes')).response?.content).toContain('nothing was filed')
  expect(world.mock.tickets()).toEqual([])
  expect((await pipeline.say(alice, 'yes')).response?.content).toContain('REQ')
})

test('is closed while another turn is under way, of which nothing changes', async () => {
  const { pipeline, db } = world
  const { id } = await openTurn(world, alice, 'hello')
  await leave()
  for (const text of ['refresh', 'yes', '3']) await pipeline.say(alice, text)
  pipeline.pass(16 * minutes)
  const { id: later, step } = await openTurn(world, alice, 'yes')
  const stands = () => db.database`
    select turn, pending_event, agent, flow from sessions
    union all select id, state, null, null from approvals where state <> 'expired'`
  const before = await stands()
  await tick()
  expect(await findRequest(db.database, id)).toMatchObject({ state: 'failed' })
  expect(await stands()).toEqual(before)
  await pipeline.deliver(step)
  expect((await findRequest(db.database, later))?.response?.content).toContain('REQ')
})

test('that a decision began is kept, so that the decision can be redriven', async () => {
  const { pipeline, db } = world
  const words = ['I need 40 seats of Figma on CC-1234', 'we design the new web shop', boss, 'yes']
  for (const text of words) await pipeline.say(alice, text)
  const [approval] = await db.database<{ id: string }[]>`select id from approvals where continuation is not null`
  const agent = pipeline.handlers.agent
  // Nothing of it is done, and the session goes on without it.
  pipeline.handlers.agent = async () => null
  await pipeline.receive({
    ...{ channel: 'mail', message: 'press', person: boss, caller: 'mail:x', own: true, text: 'yes', thread: null },
    ...{ context: {}, button: { approval: approval?.id ?? '', yes: true }, attachments: [] },
  })
  pipeline.handlers.agent = agent
  await leave()
  pipeline.pass(16 * minutes)
  await tick()
  const [letter] = await listDeadLetters(db.database, { state: 'stored', after: null, limit: 9 })
  const options = { id: letter?.id ?? '', by: 'ops', now: pipeline.now() }
  const redriven = await db.database.begin((sql) => redriveDeadLetter(sql, options))
  expect(redriven).toMatchObject({ kind: 'message' })
  if (redriven?.kind === 'message') await pipeline.deliver(redriven.event)
  expect(world.mock.tickets()).toMatchObject([{ variables: { seats: '40' } }])
})
