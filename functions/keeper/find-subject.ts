import { Fault } from '../../shared/errors/fault.ts'
import { eventTypes } from '../../shared/events/catalogue.ts'
import type { Event } from '../../shared/events/event.ts'
import { parseData } from '../../shared/events/parse.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { headOfQueue } from '../../shared/store/messages.ts'
import { findRequest } from '../../shared/store/requests.ts'
import { lockSession } from '../../shared/store/sessions.ts'
import { findTurn, findTurnInContext, type TurnInContext } from '../../shared/store/turns.ts'

/** Who waits because an event was given up: nobody, a request, a queued message, an open turn, or all that come after. */
export type Subject =
  | { kind: 'none' }
  | { kind: 'request'; request: string }
  | { kind: 'message'; session: string; request: string; number: number }
  | { kind: 'turn'; session: string; turn: TurnInContext }
  /** The turn has its answer, but the session stands at it still: no further message begins. */
  | { kind: 'queue'; session: string }

const none: Subject = { kind: 'none' }

/**
 * Finds it under the session's lock, so that what is found stays so until the caller's transaction ends. Nobody waits
 * for an event whose data is unreadable; it is kept all the same, since no sink stands behind this one.
 */
export async function findSubject(sql: Sql, event: Event, consumer: string | null): Promise<Subject> {
  try {
    return await findKnown(sql, event, consumer)
  } catch (error) {
    if (Fault.is(error) && error.code === 'event.data-invalid') return none
    throw error
  }
}

async function findKnown(sql: Sql, event: Event, consumer: string | null): Promise<Subject> {
  switch (event.type) {
    case eventTypes.requestCreated: {
      const { request_id } = parseData(event, eventTypes.requestCreated)
      const request = await findRequest(sql, request_id)
      return request?.state === 'accepted' ? { kind: 'request', request: request_id } : none
    }
    case eventTypes.requestNormalized: {
      const { session_id, message } = parseData(event, eventTypes.requestNormalized)
      const session = await lockSession(sql, session_id)
      if (session === null || session.turn !== null) return none
      const head = await headOfQueue(sql, session_id)
      return head?.number === message
        ? { kind: 'message', session: session_id, request: head.request, number: message }
        : none
    }
    case eventTypes.agentStep:
    case eventTypes.agentHandoff: {
      const data = parseData(
        event,
        event.type === eventTypes.agentStep ? eventTypes.agentStep : eventTypes.agentHandoff,
      )
      const session = await lockSession(sql, data.session_id)
      const turn = await findTurnInContext(sql, data.turn_id)
      const current =
        session !== null &&
        turn !== null &&
        session.turn === turn.id &&
        turn.step === data.step &&
        (turn.state === 'open' || turn.state === 'waiting')
      return current ? { kind: 'turn', session: session.id, turn } : none
    }
    case eventTypes.responseReady: {
      const { session_id, turn_id } = parseData(event, eventTypes.responseReady)
      // An answer that dispatch gave up leaves nobody behind it: the session went on when route took it.
      const session = consumer === 'route' ? await lockSession(sql, session_id) : null
      if (session === null) return none
      const turn = session.turn === null ? null : await findTurn(sql, session.turn)
      const ended = turn?.id === turn_id && (turn.state === 'answered' || turn.state === 'failed')
      const idle = session.turn === null && !session.pending && (await headOfQueue(sql, session.id)) !== null
      return ended || idle ? { kind: 'queue', session: session.id } : none
    }
    default:
      return none
  }
}
