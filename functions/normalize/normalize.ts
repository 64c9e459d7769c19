import { Fault } from '../../shared/errors/fault.ts'
import { eventTypes, type RequestNormalized } from '../../shared/events/catalogue.ts'
import { chainOf, deterministicId, type Event } from '../../shared/events/event.ts'
import { nextEvent } from '../../shared/events/next.ts'
import { parseData } from '../../shared/events/parse.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { headOfQueue, queueRequests } from '../../shared/store/messages.ts'
import { resolvePerson } from '../../shared/store/people.ts'
import { findRequest } from '../../shared/store/requests.ts'
import { lockOpenSession, setPendingEvent } from '../../shared/store/sessions.ts'

/**
 * Puts what a person asked into their session's queue, in ingress order. Answers with the head of the queue where the
 * session is idle, and with nothing where a turn is open: route starts the next message when that turn ends, and both
 * decide under the session's lock, so no message falls in between.
 * @throws Fault `event.unauthorised` for an event that no door of ours stands behind.
 */
export async function normalize(event: Event, sql: Sql, now: Date): Promise<Event<RequestNormalized> | null> {
  if (event.type !== eventTypes.requestCreated) throw new Fault('event.unknown-type', event.type)
  const { request_id } = parseData(event, eventTypes.requestCreated)
  const request = await findRequest(sql, request_id)
  if (request === null) throw new Fault('event.unauthorised', `no request ${request_id}`)
  if (request.state !== 'accepted') return null

  const person = await resolvePerson(sql, request.identity, emailOf(request.identity))
  const session = await lockOpenSession(sql, {
    person,
    newId: deterministicId('session', request.id),
    now,
  })
  await queueRequests(sql, { session: session.id, person, upTo: request.id, now })
  if (session.turn !== null || session.pending) return null

  const head = await headOfQueue(sql, session.id)
  if (head === null) return null
  const reply = nextEvent(chainOf(event), {
    type: eventTypes.requestNormalized,
    source: '/normalize',
    session: session.id,
    cause: [session.id, String(head.number)],
    time: now,
    data: { session_id: session.id, request_id: head.request, message: head.number },
  })
  await setPendingEvent(sql, session.id, reply, now)
  return reply
}

function emailOf(identity: string): string {
  const [scheme, ...rest] = identity.split(':')
  if (scheme !== 'email' || rest.length === 0) throw new Fault('event.unauthorised', `identity scheme ${scheme ?? ''}`)
  return rest.join(':')
}
