import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventTypes } from '../shared/events/catalogue.ts'
import type { Event } from '../shared/events/event.ts'
import { type createPipeline, quiet } from './pipeline.ts'
import { createWorld, type World } from './world.ts'

/** Laws 1 and 2 over the real stages: once, and in the order of acceptance, whatever the broker does. */
let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

const answers = (session: string) => world.db.database<{ content: string }[]>`
  select e.content from messages a join turns t on t.id = a.turn join messages e on e.session = t.session and e.number = t.message
  where a.session = ${session} and a.role = 'agent' order by a.number`

async function sessionOf(email: string): Promise<{ id: string; turn: string | null; pending: string | null }> {
  const [row] = await world.db.database<{ id: string; turn: string | null; pending: string | null }[]>`
    select s.id, s.turn, s.pending_event as pending from sessions s join people p on p.id = s.person
    where p.email = ${email}`
  if (!row) throw new Error(`no session of ${email}`)
  return row
}

test('messages accepted while a turn runs are answered one at a time, in order', async () => {
  const email = 'queue-a@company.com'
  const { pipeline } = world
  const first = await pipeline.accept(email, 'hello')
  const normalized = await pipeline.handlers.normalize(first.event, quiet)
  const step = await pipeline.handlers.route(normalized ?? first.event, quiet)
  expect(step?.type).toBe(eventTypes.agentStep)
  // The turn is open: these only queue.
  for (const text of ['what can you do', 'thanks', 'tokens']) {
    const { event } = await pipeline.accept(email, text)
    expect(await pipeline.handlers.normalize(event, quiet)).toBeNull()
  }
  if (step !== null) await pipeline.deliver(step)
  const session = await sessionOf(email)
  expect((await answers(session.id)).map((row) => row.content)).toEqual([
    'hello',
    'what can you do',
    'thanks',
    'tokens',
  ])
  expect(session).toMatchObject({ turn: null, pending: null })
})

test('events that arrive in the wrong order do not change the order of acceptance', async () => {
  const email = 'queue-b@company.com'
  const { pipeline } = world
  const accepted = []
  for (const text of ['hello', 'thanks', 'what can you do']) accepted.push(await pipeline.accept(email, text))
  await pipeline.deliver(...accepted.reverse().map(({ event }) => event))
  const session = await sessionOf(email)
  expect((await answers(session.id)).map((row) => row.content)).toEqual(['hello', 'thanks', 'what can you do'])
})

test('every event delivered three times: one answer each, the same events', async () => {
  const email = 'queue-c@company.com'
  const { pipeline } = world
  const before = pipeline.events.length
  await pipeline.say(email, 'hello')
  const chain = pipeline.events.slice(before)
  for (let again = 0; again < 2; again += 1) {
    for (const event of chain) await pipeline.deliver(event)
  }
  const session = await sessionOf(email)
  expect(await answers(session.id)).toHaveLength(1)
  expect(new Set(pipeline.events.slice(before).map((event) => event.id)).size).toBe(chain.length)
})

test('a redelivered event gets the same bytes as the first time', async () => {
  const { pipeline } = world
  const { event } = await pipeline.accept('queue-d@company.com', 'hello')
  const first = await pipeline.handlers.normalize(event, quiet)
  expect(JSON.stringify(await pipeline.handlers.normalize(event, quiet))).toBe(JSON.stringify(first))
  if (first !== null) await pipeline.deliver(first)
})

test('two deliveries of a step at once: one does it, one is told to come back', async () => {
  const { pipeline } = world
  const { event } = await pipeline.accept('queue-e@company.com', 'hello')
  const normalized = await pipeline.handlers.normalize(event, quiet)
  const step = normalized && (await pipeline.handlers.route(normalized, quiet))
  if (!step) throw new Error('no step')
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => pipeline.handlers.agent(step, quiet)))
  const done = outcomes.filter((one) => one.status === 'fulfilled')
  const refused = outcomes.filter((one) => one.status === 'rejected')
  expect(done.length).toBeGreaterThanOrEqual(1)
  for (const one of refused) expect(one.reason).toMatchObject({ code: 'stage.leased' })
  expect(new Set(done.map((one) => JSON.stringify(one.value))).size).toBe(1)
})

describe('events carry no authority', () => {
  const id = '00000000-0000-4000-8000-000000000000'
  const forged = (type: string, data: unknown): Event => ({
    specversion: '1.0',
    id: `forged ${type} ${JSON.stringify(data)}`,
    source: '/x',
    type,
    data,
  })

  test('a request.created that no door stands behind is poison', async () => {
    const event = forged(eventTypes.requestCreated, { request_id: id })
    await expect(world.pipeline.handlers.normalize(event, quiet)).rejects.toMatchObject({ status: 422 })
  })

  test('a step, a hand-off or an answer of no current turn does nothing', async () => {
    const step = { session_id: id, turn_id: id, step: 1, agent_id: 'router' }
    const { handlers } = world.pipeline
    expect(await handlers.agent(forged(eventTypes.agentStep, step), quiet)).toBeNull()
    expect(await handlers.route(forged(eventTypes.agentHandoff, step), quiet)).toBeNull()
    expect(
      await handlers.route(forged(eventTypes.requestNormalized, { session_id: id, request_id: id, message: 1 }), quiet),
    ).toBeNull()
  })

  test('data that does not fit its schema, and a type nobody knows, are poison', async () => {
    const { handlers } = world.pipeline
    await expect(handlers.agent(forged(eventTypes.agentStep, { step: 'x' }), quiet)).rejects.toMatchObject({
      code: 'event.data-invalid',
      status: 422,
    })
    await expect(handlers.route(forged('com.example.other', {}), quiet)).rejects.toMatchObject({ status: 422 })
  })
})

test('a chain at its hop limit leaves the next turn to the tick', async () => {
  const email = 'queue-f@company.com'
  const { pipeline } = world
  const first = await pipeline.accept(email, 'hello')
  const normalized = await pipeline.handlers.normalize(first.event, quiet)
  const step = normalized && (await pipeline.handlers.route({ ...normalized, hops: '151' }, quiet))
  const second = await pipeline.accept(email, 'thanks')
  await pipeline.handlers.normalize(second.event, quiet)
  if (!step) throw new Error('no step')
  await pipeline.deliver(step)
  let session = await sessionOf(email)
  expect(await answers(session.id)).toHaveLength(1)
  expect(session.turn).toBeNull()
  expect(JSON.parse(session.pending ?? '{}')).toMatchObject({ type: eventTypes.requestNormalized, hops: '1' })

  pipeline.pass(2 * 60_000)
  await tick(pipeline)
  session = await sessionOf(email)
  expect((await answers(session.id)).map((row) => row.content)).toEqual(['hello', 'thanks'])
})

test('conversations of different people do not wait for each other', async () => {
  const { pipeline } = world
  const stuck = await pipeline.accept('queue-g@company.com', 'hello')
  const normalized = await pipeline.handlers.normalize(stuck.event, quiet)
  if (normalized) await pipeline.handlers.route(normalized, quiet)
  expect((await pipeline.say('queue-h@company.com', 'hello')).state).toBe('answered')
})

/** A tick, and what it publishes. */
async function tick(pipeline: ReturnType<typeof createPipeline>): Promise<void> {
  await pipeline.handlers.keeper(
    {
      specversion: '1.0',
      id: `tick-${pipeline.now().getTime()}`,
      source: '/ping',
      type: eventTypes.tick,
      data: { task: 'repair' },
    },
    quiet,
  )
  await pipeline.deliver()
}
