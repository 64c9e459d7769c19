import { Fault } from '../../shared/errors/fault.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { finishWrite, settleMs } from '../../shared/store/tool-calls.ts'
import type { TurnInContext } from '../../shared/store/turns.ts'
import { findOpenWrites, isHeld } from '../../shared/store/under-way.ts'

/**
 * Makes sure that no write is lost from view when a turn is closed by somebody who does not know how it went. `none`:
 * nothing is under way. `under-way`: a live handler has the turn, or a write may still take effect; leave it for now.
 * `unknown`: a write's time is over and nobody told how it ended; it is parked for a person, as the agent parks one
 * whose tool says so. A handler that wakes up later and knows better still writes what it knows.
 */
export async function settleWork(sql: Sql, turn: TurnInContext, now: Date): Promise<'none' | 'under-way' | 'unknown'> {
  // Where the session stands at another turn, no handler of this one can commit any more.
  if (turn.current === turn.id && (await isHeld(sql, turn.session))) return 'under-way'
  const writes = await findOpenWrites(sql, { id: turn.id, approval: turn.flow?.approval ?? null })
  if (writes.some(({ notAfter }) => now.getTime() < notAfter.getTime() + settleMs)) return 'under-way'
  const { code, says } = new Fault('tool.outcome-unknown', `turn ${turn.id} ended first`)
  for (const { approval } of writes) {
    await finishWrite(sql, { approval, state: 'parked', outcome: { ok: false, code, message: says }, now })
  }
  return writes.length > 0 ? 'unknown' : 'none'
}
