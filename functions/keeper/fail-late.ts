import type { Event } from '../../shared/events/event.ts'
import { findChain } from '../../shared/store/chains.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { lockSession } from '../../shared/store/sessions.ts'
import { findTurnInContext } from '../../shared/store/turns.ts'
import { failSubject } from './fail-subject.ts'

/** Closes a turn past its deadline, unless it ended or moved on meanwhile, or is being worked on. */
export async function failLate(sql: Sql, id: string, now: Date): Promise<{ closed: boolean; event: Event | null }> {
  const before = await findTurnInContext(sql, id)
  const session = before && (await lockSession(sql, before.session))
  const turn = await findTurnInContext(sql, id)
  const open = turn?.state === 'open' || turn?.state === 'waiting'
  if (turn === null || session?.turn !== id || !open) return { closed: false, event: null }
  const chain = await findChain(sql, turn)
  return failSubject(sql, { kind: 'turn', session: session.id, turn }, { code: 'turn.deadline-passed', chain, now })
}
