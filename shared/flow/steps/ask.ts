import type { AskStep } from '../agent.ts'
import type { Move, Turn } from '../turn.ts'
import { tell, textOf } from '../turn.ts'

/** Asks the employee and waits for a message. `again`: the question is put a second time. */
export function ask(turn: Turn, name: string, step: AskStep, again: boolean): Move {
  const text = textOf(turn, again && step.again !== null ? step.again : step.ask)
  tell(turn, text)
  turn.state.asked = name
  turn.state.asking = text
  turn.state.waiting = 'message'
  return { kind: 'wait' }
}
