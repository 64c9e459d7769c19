import type { Move, Turn } from '../turn.ts'
import { withdrawApproval } from './approval.ts'

/** Ends the flow. A question that is still open lapses: nothing would be left to act on its yes. */
export function end(turn: Turn): Move {
  withdrawApproval(turn)
  return { kind: 'end' }
}
