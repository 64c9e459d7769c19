import { afterEach, beforeEach, expect, test } from 'vitest'
import { Fault } from '../../shared/errors/fault.ts'
import { eventTypes } from '../../shared/events/catalogue.ts'
import type { Event } from '../../shared/events/event.ts'
import type { WorldOptions } from '../../test/compose-world.ts'
import { quiet } from '../../test/pipeline.ts'
import { createWorld, type World } from '../../test/world.ts'
import { given, keeperOf, letters, minutes, openTurn, tickAt } from './testing/scenes.ts'

/** The keeper closes no turn under the hands of somebody who works on it, and loses no write from view. */
const alice = 'alice.johnson@company.com'
const unknown = 'I could not find out whether your request was filed.'
let world: World
beforeEach(() => {
  callTool = null
})
afterEach(() => world.close())

/** What a test puts in the place of a write; null lets it through. */
let callTool: WorldOptions['aroundTool'] | null = null

async function open(): Promise<void> {
  world = await createWorld({
    aroundTool: (call) => (given, signal) =>
      given.approval === null || !callTool ? call(given, signal) : callTool(call)(given, signal),
  })
}

/** Says yes, and begins the write, of which the tool server says nothing: it never came there, or its answer was lost. */
async function beginWrite(lost: 'call' | 'answer'): Promise<Event> {
  await open()
  callTool = (call) => async (given, signal) => {
    if (lost === 'answer') await call(given, signal)
    throw new Fault('tool.timeout', 'no answer')
  }
  const step = await upToTheWrite()
  await expect(world.pipeline.handlers.agent(step, quiet)).rejects.toMatchObject({ code: 'tool.timeout' })
  expect(await calls()).toMatchObject([{ state: 'started' }])
  return step
}

async function upToTheWrite(): Promise<Event> {
  const { handlers, say, accept } = world.pipeline
  for (const text of ['refresh', 'I would like to see the options', '3']) await say(alice, text)
  const { event } = await accept(alice, 'proceed')
  let next: Event | null = await handlers.normalize(event, quiet)
  if (next !== null) next = await handlers.route(next, quiet)
  const granted = async () => (await world.db.database`select 1 from approvals where state = 'granted'`).length > 0
  while (next?.type === eventTypes.agentStep && !(await granted())) next = await handlers.agent(next, quiet)
  if (next === null) throw new Error('the conversation ended before its write')
  return next
}

const calls = () => world.db.database<{ state: string; outcome: { code?: string; ok?: boolean } | null }[]>`
  select state, outcome from tool_calls`

const turnOf = async (step: Event) => {
  const [row] = await world.db.database<{ state: string; content: string | null; at: string | null }[]>`
    select t.state, t.response::jsonb -> 'data' ->> 'content' as content, s.flow ->> 'at' as at
    from sessions s join turns t on t.id = s.turn where s.id = ${step.subject ?? ''}`
  return row
}

test('a late turn whose step is being worked on is left until the lease is over', async () => {
  await open()
  const { step } = await openTurn(world, 'held@company.com')
  await world.db.database`
    insert into inbox (consumer, source, event, state, lease_until)
    values ('agent', ${step.source}, ${step.id}, 'leased', now() + interval '1 minute')`
  world.pipeline.pass(16 * minutes)
  const { take, taken } = keeperOf(world)
  await take(tickAt(world.pipeline.now()))
  expect(taken).toEqual([])
  expect(await turnOf(step)).toMatchObject({ state: 'open' })

  await world.db.database`update inbox set lease_until = now() - interval '1 ms' where event = ${step.id}`
  await take(tickAt(world.pipeline.now()))
  expect(taken).toMatchObject([{ type: eventTypes.responseReady }])
  expect(await turnOf(step)).toMatchObject({ state: 'failed' })
})

test('a dead letter of an earlier copy closes nothing while the released one is worked on', async () => {
  await open()
  const { step } = await openTurn(world, 'copy@company.com')
  await world.db.database`update turns set state = 'waiting' where session = ${step.subject ?? ''}`
  const { take, taken } = keeperOf(world)
  await take(tickAt(world.pipeline.now()))
  const [released] = taken
  await world.db.database`
    insert into inbox (consumer, source, event, state, lease_until)
    values ('agent', ${released?.source ?? ''}, ${released?.id ?? ''}, 'leased', now() + interval '1 minute')`
  await take(given(step, 'agent'))
  expect(await turnOf(step)).toMatchObject({ state: 'open' })
  expect(await letters(world, eventTypes.agentStep)).toMatchObject([{ outcome: 'recorded' }])
})

test('a turn with a write that may still happen is neither closed by a dead letter nor by its deadline', async () => {
  const step = await beginWrite('answer')
  await world.db.database`update turns set deadline = ${world.pipeline.now()} where state = 'open'`
  // Past the write's not-after, and within the time that its POST may take.
  world.pipeline.pass(70_000)
  const { take, taken } = keeperOf(world)
  await take(given(step, 'agent', { code: 'tool.timeout' }))
  await take(tickAt(world.pipeline.now()))
  expect(taken).toEqual([])
  expect(await turnOf(step)).toMatchObject({ state: 'open' })
  expect(await calls()).toMatchObject([{ state: 'started' }])
  expect(await letters(world, eventTypes.agentStep)).toMatchObject([{ outcome: 'recorded' }])

  // The step, when it is sent again, learns how the write ended.
  callTool = null
  await world.pipeline.deliver(step)
  expect(await calls()).toMatchObject([{ state: 'done' }])
  expect(await turnOf(step)).toBeUndefined()
})

test.each(['a tick', 'a dead letter'])('%s settles a write of which nobody told the end as unknown', async (by) => {
  const step = await beginWrite('call')
  const { take, taken } = keeperOf(world)
  await take(given(step, 'agent', { code: 'tool.timeout' }))
  world.pipeline.pass(by === 'a tick' ? 16 * minutes : 4 * minutes)
  await take(by === 'a tick' ? tickAt(world.pipeline.now()) : given(step, 'agent', { code: 'tool.timeout' }))
  expect(await calls()).toMatchObject([{ state: 'parked', outcome: { ok: false, code: 'tool.outcome-unknown' } }])
  // A person looks: the conversation does not stand at the question any more.
  expect(await turnOf(step)).toMatchObject({ state: 'failed', content: expect.stringContaining(unknown), at: null })
  expect(taken[0]).toMatchObject({ data: { metadata: { error_code: 'tool.outcome-unknown' } } })
  // Nor does the step, late, begin it again.
  callTool = null
  await world.pipeline.deliver(step, ...taken)
  expect(world.mock.tickets()).toHaveLength(0)
  expect(await calls()).toMatchObject([{ state: 'parked' }])
})

test('a handler that wakes after its write was settled as unknown still writes down what it knows', async () => {
  await open()
  const step = await upToTheWrite()
  callTool = (call) => async (given, signal) => {
    const outcome = await call(given, signal)
    await world.db.database`update inbox set lease_until = now() - interval '1 ms' where state = 'leased'`
    world.pipeline.pass(16 * minutes)
    await keeperOf(world).take(tickAt(world.pipeline.now()))
    expect(await calls()).toMatchObject([{ state: 'parked' }])
    return outcome
  }
  await world.pipeline.handlers.agent(step, quiet)
  expect(await calls()).toMatchObject([{ state: 'done', outcome: { ok: true } }])
  expect(await turnOf(step)).toMatchObject({ state: 'failed', content: expect.stringContaining(unknown) })
})
