import { deterministicId, type Event } from '../../shared/events/event.ts'
import { findChain, findPendingEvent } from '../../shared/store/chains.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { storeDeadLetter } from '../../shared/store/dead-letters.ts'
import { lockSession } from '../../shared/store/sessions.ts'
import { findTurnInContext } from '../../shared/store/turns.ts'
import { failSubject } from './fail-subject.ts'

/**
 * Closes a turn past its deadline, unless it ended, moved on or got more time meanwhile, or is being worked on. One that
 * a decision began is kept as a dead letter, so that it can be redriven.
 */
export async function failLate(sql: Sql, id: string, now: Date): Promise<{ closed: boolean; event: Event | null }> {
  const before = await findTurnInContext(sql, id)
  const session = before && (await lockSession(sql, before.session))
  const turn = await findTurnInContext(sql, id)
  const late = (turn?.state === 'open' || turn?.state === 'waiting') && turn.deadline <= now
  if (turn === null || session?.turn !== id || !late) return { closed: false, event: null }
  const chain = await findChain(sql, turn)
  const pending = await findPendingEvent(sql, session.id)
  const code = 'turn.deadline-passed'
  const failed = await failSubject(sql, { kind: 'turn', session: session.id, turn }, { code, chain, now })
  if (failed.closed && pending !== null && turn.decided !== null) {
    // The employee can ask again; what somebody else has decided, nobody could give a second time.
    await storeDeadLetter(sql, {
      id: deterministicId('dead-letter', turn.id, code),
      event: pending,
      session: session.id,
      turn: turn.id,
      failure: { destination: null, status: null, data: JSON.stringify({ code }) },
      outcome: 'closed',
      now,
    })
  }
  return failed
}
