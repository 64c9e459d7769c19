import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Event } from '../../shared/events/event.ts'
import { createWorld, type World } from '../../test/world.ts'
import { keeperOf, minutes, openTurn, tickAt } from './testing/scenes.ts'

/** What the keeper says on its own account belongs to the trace of the request it is about. */
let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

const traceOf = (event: Event | undefined) => String(event?.['traceparent']).split('-')[1]

test('the apology of a late turn', async () => {
  const { event, step } = await openTurn(world, 'trace-a@company.com')
  world.pipeline.pass(16 * minutes)
  const { take, taken } = keeperOf(world)
  await take(tickAt(world.pipeline.now()))
  expect(taken.map(traceOf)).toEqual([traceOf(event)])
  expect(taken[0]?.['traceparent']).not.toBe(step['traceparent'])
  expect(taken[0]).toMatchObject({ correlationid: step['correlationid'], hops: '1' })
})

test.each(['kept', 'lost'])('the step of a released turn, where what the session waits for is %s', async (pending) => {
  const { event, step } = await openTurn(world, `trace-${pending}@company.com`)
  const session = step.subject ?? ''
  await world.db.database`update turns set state = 'waiting' where session = ${session}`
  if (pending === 'lost') await world.db.database`update sessions set pending_event = null where id = ${session}`
  const { take, taken } = keeperOf(world)
  await take(tickAt(world.pipeline.now()))
  expect(taken).toMatchObject([{ subject: session, source: '/keeper' }])
  expect(traceOf(taken[0])).toBe(traceOf(event))
})
