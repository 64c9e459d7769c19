import type { Move, Walk } from '../walk.ts'
import { withdrawApproval } from './approval.ts'

/** Ends the flow. A question that is still open lapses: nothing would be left to act on its yes. */
export function end(walk: Walk): Move {
  withdrawApproval(walk)
  return { kind: 'end' }
}
