import type { SetStep } from '../agent.ts'
import { argumentsOf, go, type Move, type Walk } from '../walk.ts'

/** Sets variables (slots too), all of them from the values before the step. */
export function set(walk: Walk, step: SetStep): Move {
  for (const [name, value] of Object.entries(argumentsOf(walk, step.set))) {
    const kept = Object.hasOwn(walk.agent.slots, name) ? walk.state.slots : walk.state.variables
    kept[name] = value
  }
  return go(step.next)
}
