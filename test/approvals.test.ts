import { afterEach, beforeEach, expect, test } from 'vitest'
import { runStep } from '../functions/agent/run-step.ts'
import { Fault } from '../shared/errors/fault.ts'
import { eventTypes } from '../shared/events/catalogue.ts'
import type { Event } from '../shared/events/event.ts'
import type { Lease } from '../shared/stage/once.ts'
import type { WorldOptions } from './compose-world.ts'
import { quiet } from './pipeline.ts'
import { createWorld, type World } from './world.ts'

/** A yes is used once, by the turn and the flow it was given to, or not at all. */
const alice = 'alice.johnson@company.com'
let world: World
beforeEach(async () => {
  world = await open({})
})
afterEach(() => world.close())

const open = (options: WorldOptions) => createWorld(options)
const words = ['refresh', 'I would like to see the options', '3']
const tickets = () => world.mock.tickets()
const approvals = () => world.db.database<{ state: string; decided_by: string }[]>`
  select state, decided_by from approvals order by created_at`

/** Says yes, and stops where the yes is committed and the write is the next step; gives that step's event. */
async function upToTheWrite(): Promise<Event> {
  for (const text of words) await world.pipeline.say(alice, text)
  const { handlers } = world.pipeline
  const { event } = await world.pipeline.accept(alice, 'proceed')
  let next: Event | null = await handlers.normalize(event, quiet)
  if (next !== null) next = await handlers.route(next, quiet)
  while (next?.type === eventTypes.agentStep && (await approvals())[0]?.state !== 'granted') {
    next = await handlers.agent(next, quiet)
  }
  if (next === null) throw new Error('the conversation ended before its write')
  return next
}

/** Ends the open turn as the keeper's tick does once its time is over. */
async function endByTick(): Promise<void> {
  const { pipeline } = world
  pipeline.pass(16 * 60_000)
  const tick = { specversion: '1.0' as const, id: 'tick', source: '/ping', type: eventTypes.tick }
  await pipeline.handlers.keeper({ ...tick, data: { task: 'repair' } }, quiet)
  await pipeline.deliver()
}

test('a process that wakes after its turn was ended uses no approval', async () => {
  const step = await upToTheWrite()
  // The lease of a process that hung: its fence still holds, and by the time it records its write the turn is over.
  const lease: Lease = {
    attempts: 1,
    signal: new AbortController().signal,
    record: async (write) => {
      await endByTick()
      return (await world.db.database.begin(write)) as Awaited<ReturnType<typeof write>>
    },
    finish: (write) => world.db.database.begin(write),
  }
  await expect(runStep(step, lease, world.pipeline.parts)).rejects.toMatchObject({ code: 'stage.superseded' })
  expect(tickets()).toHaveLength(0)
  expect(await approvals()).toMatchObject([{ state: 'expired' }])
})

test.each(['reset', 'quit'])('%s takes back a yes that nothing has used', async (command) => {
  const step = await upToTheWrite()
  await endByTick()
  await world.pipeline.say(alice, command)
  expect(await approvals()).toMatchObject([{ state: 'expired' }])
  await world.pipeline.deliver(step)
  expect(tickets()).toHaveLength(0)
})

test('how a write ended is kept, also where its turn was closed meanwhile', async () => {
  await world.close()
  world = await open({
    aroundTool: (call) => async (given, signal) => {
      const outcome = await call(given, signal)
      if (given.approval !== null) await world.db.database`update sessions set turn = null`
      return outcome
    },
  })
  await world.pipeline.deliver(await upToTheWrite())
  const calls = await world.db.database<{ state: string; number: string }[]>`
    select state, outcome::text as number from tool_calls`
  expect(calls).toMatchObject([{ state: 'done', number: expect.stringContaining('REQ') }])
})

test('a write that cannot be asked about any more is said to be unknown, by the flow and in the ledger', async () => {
  await world.close()
  world = await open({
    aroundTool: (call) => async (given, signal) => {
      if (given.approval === null) return call(given, signal)
      world.pipeline.pass(80_000)
      throw new Fault('tool.unavailable', 'the server is away')
    },
  })
  for (const text of words) await world.pipeline.say(alice, text)
  const { response } = await world.pipeline.say(alice, 'proceed')
  expect(response?.content).toContain('could not find out whether')
  expect(await world.db.database`select state from tool_calls`).toMatchObject([{ state: 'parked' }])
  expect(await world.db.database`select 1 from dead_letters`).toHaveLength(0)
})

test('a spent budget goes to a person, and the conversation begins afresh instead of refusing for ever', async () => {
  await world.close()
  world = await open({ limits: { tokensPerSession: 1 } })
  const lost = 'my notebook is ancient and slow, can I get a replacement for it please?'
  const first = await world.pipeline.say(alice, lost)
  expect(first.state).toBe('answered')
  const spent = await world.pipeline.say(alice, 'hm, what would you say is best for somebody who travels?')
  expect(spent).toMatchObject({ state: 'failed', response: { metadata: { error_code: 'flow.budget-spent' } } })
  expect(spent.response?.content).toContain('A colleague will look at it.')
  expect((await world.pipeline.say(alice, lost)).state).toBe('answered')
  expect(await world.db.database`select 1 from dead_letters`).toHaveLength(0)
})

test('an answer for a channel that nothing serves is given up where it can be seen, and stays to be read', async () => {
  const { event } = await world.pipeline.accept(alice, 'hello')
  await world.db.database`update requests set target = '{"channel": "fax", "thread": null}'`
  await world.pipeline.deliver(event)
  expect(await world.db.database`select state, last_error from deliveries`).toMatchObject([
    { state: 'given-up', last_error: 'this deployment has no channel fax' },
  ])
  expect(await world.db.database`select state from requests`).toMatchObject([{ state: 'answered' }])
})
