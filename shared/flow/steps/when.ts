import { Fault } from '../../errors/fault.ts'
import type { WhenStep } from '../agent.ts'
import { go, type Move, resultOf, type Walk } from '../walk.ts'

/** Goes where the first true condition points. A condition that is neither true nor false is a fault, never a guess. */
export function when(walk: Walk, step: WhenStep): Move {
  for (const { if: condition, next } of step.cases) {
    const value = resultOf(walk, condition)
    if (value === true) return go(next)
    if (value !== false) {
      throw new Fault('flow.expression-failed', `${walk.agent.name}: ${condition}: is neither true nor false`)
    }
  }
  return go(step.otherwise)
}
