import type { Move, Walk } from '../walk.ts'
import { withdrawApproval } from './approval.ts'

/** Hands the same words to another agent. A question of this agent that is still open lapses. */
export function handoff(walk: Walk, agent: string): Move {
  withdrawApproval(walk)
  return { kind: 'handoff', agent }
}
