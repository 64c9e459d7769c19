import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventTypes, type ResponseReady } from '../../shared/events/catalogue.ts'
import { chainOf, type Event } from '../../shared/events/event.ts'
import { nextEvent } from '../../shared/events/next.ts'
import { findRequest } from '../../shared/store/requests.ts'
import { quiet } from '../../test/pipeline.ts'
import { createWorld, type World } from '../../test/world.ts'
import { openTurn } from '../keeper/testing/scenes.ts'

/** An event names; what it may do stands in Postgres. */
let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

/** What the agent would say of this turn, said before it has said anything. */
function forge(step: Event, source: string): Event<ResponseReady> {
  const turn = String((step.data as { turn_id: string }).turn_id)
  return nextEvent<ResponseReady>(chainOf(step), {
    ...{
      type: eventTypes.responseReady,
      source,
      session: step.subject ?? '',
      cause: [turn],
      time: world.pipeline.now(),
    },
    data: {
      ...{ request_id: turn, session_id: step.subject ?? '', turn_id: turn, user_id: 'x@company.com', agent_id: 'x' },
      ...{ content: 'x', response_type: 'message', metadata: {}, processing_time_ms: 0, requires_followup: false },
      ...{ followup_actions: [], created_at: world.pipeline.now().toISOString() },
    },
  })
}

test.each(['/elsewhere', '/agent'])(
  'an answer from %s to a turn that nobody has answered ends nothing',
  async (source) => {
    const { pipeline, db } = world
    const email = `early${source.replace('/', '-')}@company.com`
    const { id, step } = await openTurn(world, email)
    const waiting = await pipeline.accept(email, 'hello')
    await pipeline.handlers.normalize(waiting.event, quiet)
    const stands = () => db.database`select turn, pending_event from sessions where id = ${step.subject ?? ''}`
    const before = await stands()
    const forged = forge(step, source)
    for (const _ of [1, 2]) expect(await pipeline.handlers.route(forged, quiet)).toBeNull()
    expect(await stands()).toEqual(before)

    // Also where it had the very id of the answer: that one counts when it comes.
    const answer = await pipeline.handlers.agent(step, quiet)
    expect(answer?.type).toBe(eventTypes.responseReady)
    const nameOf = (event: Event | null) => `${event?.source} ${event?.id}`
    expect(nameOf(answer) === nameOf(forged)).toBe(source === '/agent')
    await pipeline.deliver(...(answer === null ? [] : [answer]))
    for (const one of [id, waiting.id]) expect(await findRequest(db.database, one)).toMatchObject({ state: 'answered' })
    expect(await stands()).toMatchObject([{ turn: null, pending_event: null }])
  },
)
