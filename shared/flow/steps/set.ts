import type { SetStep } from '../agent.ts'
import { argumentsOf, go, type Move, type Turn } from '../turn.ts'

/** Sets variables (slots too), all of them from the values before the step. */
export function set(turn: Turn, step: SetStep): Move {
  for (const [name, value] of Object.entries(argumentsOf(turn, step.set))) {
    const kept = Object.hasOwn(turn.agent.slots, name) ? turn.state.slots : turn.state.variables
    kept[name] = value
  }
  return go(step.next)
}
