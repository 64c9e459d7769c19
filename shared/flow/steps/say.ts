import type { SayStep } from '../agent.ts'
import { go, type Move, type Turn, tell, textOf } from '../turn.ts'

/** Tells the employee something and goes on. */
export function say(turn: Turn, step: SayStep): Move {
  tell(turn, textOf(turn, step.say))
  return go(step.next)
}
