import type { SayStep } from '../agent.ts'
import { go, type Move, tell, textOf, type Walk } from '../walk.ts'

/** Tells the employee something and goes on. */
export function say(walk: Walk, step: SayStep): Move {
  tell(walk, textOf(walk, step.say))
  return go(step.next)
}
