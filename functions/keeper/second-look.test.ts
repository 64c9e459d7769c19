import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventTypes } from '../../shared/events/catalogue.ts'
import type { Event } from '../../shared/events/event.ts'
import { findRequest } from '../../shared/store/requests.ts'
import { quiet } from '../../test/pipeline.ts'
import { createWorld, type World } from '../../test/world.ts'
import { given, keeperOf, letters, openTurn } from './testing/scenes.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

const sessionOf = async (event: Event) => {
  const [row] = await world.db.database<{ turn: string | null; pending: string | null }[]>`
    select turn, pending_event as pending from sessions where id = ${event.subject ?? ''}`
  return row
}

const letterOf = async (event: Event) =>
  (await letters(world, event.type)).filter((letter) => JSON.parse(letter.event).id === event.id)

test('a dead letter that was only recorded is looked at again when it comes again', async () => {
  const { pipeline } = world
  const { id, step } = await openTurn(world, 'look-a@company.com')
  await world.db.database`
    insert into inbox (consumer, source, event, state, lease_until)
    values ('agent', ${step.source}, ${step.id}, 'leased', now() + interval '1 minute')`
  await pipeline.handlers.keeper(given(step, 'agent'), quiet)
  expect(await letterOf(step)).toMatchObject([{ outcome: 'recorded' }])

  // Whoever put it away has to see it again.
  await world.db.database`update dead_letters set state = 'discarded' where event_type = ${step.type}`
  await world.db.database`update inbox set lease_until = now() - interval '1 ms' where event = ${step.id}`
  await pipeline.handlers.keeper(given(step, 'agent', { code: 'flow.budget-spent' }), quiet)
  await pipeline.deliver()
  expect(await findRequest(world.db.database, id)).toMatchObject({ state: 'failed' })
  expect(await letterOf(step)).toMatchObject([
    { outcome: 'closed', state: 'stored', session: step.subject, error_data: expect.stringContaining('budget-spent') },
  ])

  // Settled now: it publishes the same again, and what became of it stays.
  const { take, taken } = keeperOf(world)
  await take(given(step, 'agent'))
  await take(given(step, 'agent'))
  expect(taken.map(({ type }) => type)).toEqual([eventTypes.responseReady, eventTypes.responseReady])
  expect(JSON.stringify(taken[0])).toBe(JSON.stringify(taken[1]))
  expect(await letterOf(step)).toMatchObject([{ outcome: 'closed' }])
})

test('copies of one dead letter that come together close one turn', async () => {
  const { id, step } = await openTurn(world, 'look-b@company.com')
  const { take, taken } = keeperOf(world)
  await Promise.all([1, 2, 3, 4].map(() => take(given(step, 'agent'))))
  expect(new Set(taken.map((event) => JSON.stringify(event))).size).toBe(1)
  await world.pipeline.deliver(...taken)
  expect(await findRequest(world.db.database, id)).toMatchObject({ state: 'failed' })
})

describe('an answer that was given up', () => {
  /** A finished turn whose answer nobody has seen, and another message behind it. */
  async function answered(email: string, more: string[]) {
    const { pipeline } = world
    const { id, step } = await openTurn(world, email)
    const behind: string[] = []
    for (const content of more) {
      const { id, event } = await pipeline.accept(email, content)
      await pipeline.handlers.normalize(event, quiet)
      behind.push(id)
    }
    const response = await pipeline.handlers.agent(step, quiet)
    if (response === null) throw new Error('no answer')
    return { id, response, behind }
  }

  test('by route: the next messages are answered all the same, without a tick', async () => {
    const { pipeline } = world
    const { response, behind } = await answered('look-c@company.com', ['hello', 'thanks'])
    await pipeline.handlers.keeper(given(response, 'route'), quiet)
    expect(await letterOf(response)).toMatchObject([{ outcome: 'republished', session: response.subject }])
    const before = pipeline.events.length
    await pipeline.deliver()
    for (const id of behind) expect(await findRequest(world.db.database, id)).toMatchObject({ state: 'answered' })
    const [begun] = pipeline.events.slice(before)
    expect(begun).toMatchObject({ type: eventTypes.requestNormalized, correlationid: behind[0], source: '/keeper' })
    expect(String(begun?.['traceparent'])).toContain(behind[0]?.replaceAll('-', ''))
    // The answer itself, late after all, moves nothing.
    await pipeline.deliver(response)
    expect(await sessionOf(response)).toEqual({ turn: null, pending: null })
  })

  test('by route, with nothing behind it: the session is idle', async () => {
    const { pipeline } = world
    const { response } = await answered('look-d@company.com', [])
    await pipeline.handlers.keeper(given(response, 'route'), quiet)
    await pipeline.deliver()
    expect(await sessionOf(response)).toEqual({ turn: null, pending: null })
    expect(await letterOf(response)).toMatchObject([{ outcome: 'recorded' }])
    expect((await pipeline.say('look-d@company.com', 'hello')).state).toBe('answered')
  })

  test('by route, where nothing moves the queue any more', async () => {
    const { pipeline } = world
    const { response, behind } = await answered('look-e@company.com', ['hello'])
    await world.db.database`update sessions set turn = null, pending_event = null where id = ${response.subject ?? ''}`
    await pipeline.handlers.keeper(given(response, 'route'), quiet)
    await pipeline.deliver()
    expect(await findRequest(world.db.database, behind[0] ?? '')).toMatchObject({ state: 'answered' })
  })

  test('by dispatch, or of a turn that is open: recorded, and nothing moves', async () => {
    const { response } = await answered('look-f@company.com', ['hello'])
    const before = await sessionOf(response)
    const { take, taken } = keeperOf(world)
    await take(given(response, 'dispatch'))
    expect(await sessionOf(response)).toEqual(before)
    await world.db.database`update turns set state = 'open', finished_at = null where id = ${before?.turn ?? ''}`
    await take(given(response, 'route'))
    expect(await sessionOf(response)).toEqual(before)
    expect(taken).toEqual([])
    expect((await letterOf(response)).map(({ outcome }) => outcome)).toEqual(['recorded', 'recorded'])
  })
})
