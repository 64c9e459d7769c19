import { readAffirmation } from '../affirmation.ts'
import type { ConfirmStep } from '../agent.ts'
import { hashArguments } from '../canonical-json.ts'
import { argumentsOf, go, type Move, type Turn, tell, textOf } from '../turn.ts'
import { forgetApproval, inTime, openApproval, pendingApproval, storedApproval, withdrawApproval } from './approval.ts'

const lapsed = 'That question has expired, so nothing was filed.'

/** Opens an approval for exactly these arguments, asks for it, and waits. */
export function confirm(turn: Turn, name: string, step: ConfirmStep): Move {
  openApproval(turn, { step: name, tool: step.tool, arguments: argumentsOf(turn, step.arguments) }, step.expiresMs)
  return question(turn, name, textOf(turn, step.ask))
}

/**
 * Asks again. The approval stays the same while it is open and what would be filed has not changed; otherwise the
 * employee would read one thing and approve another, so a new one is opened and the whole question asked.
 */
export function confirmAgain(turn: Turn, name: string, step: ConfirmStep): Move {
  const stored = storedApproval(turn)
  const pending = pendingApproval(turn)
  const unchanged =
    pending?.step === name &&
    hashArguments(pending.arguments) === hashArguments(argumentsOf(turn, step.arguments)) &&
    stored?.state === 'open' &&
    inTime(turn, stored)
  if (!unchanged) return confirm(turn, name, step)
  return question(turn, name, textOf(turn, step.again ?? step.ask))
}

/** Reads the employee's answer. Only code reads a yes, and only a whole message that says nothing else. */
export function answerConfirm(turn: Turn, name: string, step: ConfirmStep): Move {
  const stored = storedApproval(turn)
  // The write was made in a turn that then failed: whatever is said now, its outcome is what there is to tell, and the
  // call repeats it under the same approval.
  if (stored?.state === 'used') return go(step.yes)
  const answer = readAffirmation(turn.message)
  if (answer === 'no') {
    if (stored !== null && (stored.state === 'open' || stored.state === 'granted')) {
      turn.approvals.push({ kind: 'decline', id: stored.id })
    }
    forgetApproval(turn)
    return go(step.no)
  }
  if (answer === null) return go(step.otherwise)
  if (stored !== null && inTime(turn, stored)) {
    if (stored.state === 'open') turn.approvals.push({ kind: 'grant', id: stored.id })
    if (stored.state === 'open' || stored.state === 'granted') return go(step.yes)
  }
  withdrawApproval(turn)
  if (step.expired !== null) return go(step.expired)
  tell(turn, lapsed)
  return confirm(turn, name, step)
}

function question(turn: Turn, name: string, text: string): Move {
  tell(turn, text)
  turn.state.asked = name
  turn.state.asking = text
  turn.state.waiting = 'approval'
  return { kind: 'wait' }
}
