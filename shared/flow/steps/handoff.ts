import type { Move, Turn } from '../turn.ts'
import { withdrawApproval } from './approval.ts'

/** Hands the same words to another agent. A question of this agent that is still open lapses. */
export function handoff(turn: Turn, agent: string): Move {
  withdrawApproval(turn)
  return { kind: 'handoff', agent }
}
