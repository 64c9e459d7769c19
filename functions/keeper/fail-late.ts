import { deterministicId, type Event } from '../../shared/events/event.ts'
import { findChain, findPendingEvent } from '../../shared/store/chains.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { storeDeadLetter } from '../../shared/store/dead-letters.ts'
import { findRequest } from '../../shared/store/requests.ts'
import { lockSession } from '../../shared/store/sessions.ts'
import { findTurnInContext, type TurnInContext } from '../../shared/store/turns.ts'
import { failSubject } from './fail-subject.ts'

/**
 * Closes a turn past its deadline, unless it ended or got more time meanwhile, or is being worked on; also one that its
 * session has left behind, to which no event leads any more. One that a decision began is kept as a dead letter, so that
 * it can be redriven.
 */
export async function failLate(sql: Sql, id: string, now: Date): Promise<{ closed: boolean; event: Event | null }> {
  const before = await findTurnInContext(sql, id)
  const session = before && (await lockSession(sql, before.session))
  const turn = await findTurnInContext(sql, id)
  const late = (turn?.state === 'open' || turn?.state === 'waiting') && turn.deadline <= now
  if (turn === null || session === null || !late) return { closed: false, event: null }
  const chain = await findChain(sql, turn)
  const cause = await findCause(sql, turn)
  const code = 'turn.deadline-passed'
  const failed = await failSubject(sql, { kind: 'turn', session: session.id, turn }, { code, chain, now })
  if (failed.closed && cause !== null && turn.decided !== null) {
    // The employee can ask again; what somebody else has decided, nobody could give a second time.
    await storeDeadLetter(sql, {
      id: deterministicId('dead-letter', turn.id, code),
      event: cause,
      session: session.id,
      turn: turn.id,
      failure: { destination: null, status: null, data: JSON.stringify({ code }) },
      outcome: 'closed',
      now,
    })
  }
  return failed
}

/** The event that the turn would have gone on with; where its session has left it behind, the one that it began with. */
async function findCause(sql: Sql, turn: TurnInContext): Promise<Event | null> {
  const pending = turn.current === turn.id ? await findPendingEvent(sql, turn.session) : null
  if (pending !== null) return pending
  const request = await findRequest(sql, turn.request)
  return request === null ? null : (JSON.parse(request.event) as Event)
}
