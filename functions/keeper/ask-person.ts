import { deterministicId } from '../../shared/events/event.ts'
import { requestCreated } from '../../shared/events/request-created.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { queueAfterFailure } from '../../shared/store/handoffs.ts'
import type { TurnInContext } from '../../shared/store/turns.ts'

/**
 * Puts a turn behind a failed one that gives the conversation to a person, in the queue that the failed one's answer moves
 * on. Once for each failed turn, and never for one that was there to call a person itself. Under the session's lock.
 */
export async function askPerson(sql: Sql, turn: TurnInContext, now: Date): Promise<void> {
  const id = deterministicId('handoff-request', turn.id)
  await queueAfterFailure(sql, { id, turn, now }, ({ channel, traceparent }) =>
    requestCreated({ id, channel, person: turn.email, source: '/keeper', traceparent, at: now }),
  )
}
