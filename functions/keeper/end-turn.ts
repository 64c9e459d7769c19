import { eventTypes } from '../../shared/events/catalogue.ts'
import type { Event } from '../../shared/events/event.ts'
import { nextEvent } from '../../shared/events/next.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { headOfQueue } from '../../shared/store/messages.ts'
import { setTurn } from '../../shared/store/sessions.ts'

/**
 * Does what route could not at the end of an answered turn: the session is idle, or gets the event with which its next
 * message begins. Not the event that route gave up: it might give it up again, and again. Under the session's lock.
 */
export async function endTurn(sql: Sql, session: string, now: Date): Promise<Event | null> {
  const head = await headOfQueue(sql, session)
  const event =
    head === null
      ? null
      : nextEvent(
          { correlation: head.request, traceparent: head.traceparent, hops: 0 },
          {
            type: eventTypes.requestNormalized,
            source: '/keeper',
            session,
            cause: [session, String(head.number)],
            time: now,
            data: { session_id: session, request_id: head.request, message: head.number },
          },
        )
  await setTurn(sql, session, null, event, now)
  return event
}
