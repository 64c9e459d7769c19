import type { AskStep } from '../agent.ts'
import { offerOf } from '../offer.ts'
import type { Move, Walk } from '../walk.ts'
import { tell, textOf } from '../walk.ts'

/** Asks the employee and waits for a message. `again`: the question is put a second time. */
export function ask(walk: Walk, name: string, step: AskStep, again: boolean): Move {
  const text = textOf(walk, again && step.again !== null ? step.again : step.ask)
  tell(walk, text)
  walk.state.asked = name
  walk.state.asking = text
  walk.state.waiting = 'message'
  return { kind: 'wait', offer: offerOf(walk, step.choices) }
}
