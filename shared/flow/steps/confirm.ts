import { readAffirmation } from '../affirmation.ts'
import type { ConfirmStep } from '../agent.ts'
import { hashArguments } from '../canonical-json.ts'
import { go, type Move, tell, textOf, type Walk } from '../walk.ts'
import { forgetApproval, inTime, openApproval, pendingApproval, storedApproval, withdrawApproval } from './approval.ts'
import { fieldsOf } from './fields.ts'

const lapsed = 'That question has expired, so nothing was filed.'

/** Opens an approval for exactly these arguments, asks for it, and waits. */
export function confirm(walk: Walk, name: string, step: ConfirmStep): Move {
  const text = textOf(walk, step.ask)
  openApproval(walk, { step: name, tool: step.tool, arguments: fieldsOf(walk, step) }, text, step.expiresMs)
  return question(walk, name, text, new Date(walk.scope.now.getTime() + step.expiresMs))
}

/**
 * Asks again. The approval stays the same while it is open and what would be filed has not changed; otherwise the
 * employee would read one thing and approve another, so a new one is opened and the whole question asked.
 */
export function confirmAgain(walk: Walk, name: string, step: ConfirmStep): Move {
  const stored = storedApproval(walk)
  const pending = pendingApproval(walk)
  const unchanged =
    pending?.step === name &&
    hashArguments(pending.arguments) === hashArguments(fieldsOf(walk, step)) &&
    stored?.state === 'open' &&
    inTime(walk, stored)
  if (!unchanged) return confirm(walk, name, step)
  return question(walk, name, textOf(walk, step.again ?? step.ask), stored.expiresAt)
}

/** Reads the employee's answer. Only code reads a yes, and only a whole message that says nothing else. */
export function answerConfirm(walk: Walk, name: string, step: ConfirmStep): Move {
  const stored = storedApproval(walk)
  // The write was made in a turn that then failed: whatever is said now, its outcome is what there is to tell, and the
  // call repeats it under the same approval.
  if (stored?.state === 'used') return go(step.yes)
  const answer = readAffirmation(walk.message)
  if (answer === 'no') {
    if (stored !== null && (stored.state === 'open' || stored.state === 'granted')) {
      walk.approvals.push({ kind: 'decline', id: stored.id })
    }
    forgetApproval(walk)
    return go(step.no)
  }
  if (answer === null) return go(step.otherwise)
  // Words that a program says in a person's name are not that person's yes.
  if (walk.scope.speaker !== walk.scope.person.email) {
    tell(walk, `Only ${walk.scope.person.email} can say yes to this.`)
    return confirmAgain(walk, name, step)
  }
  if (stored !== null && inTime(walk, stored)) {
    if (stored.state === 'open') walk.approvals.push({ kind: 'grant', id: stored.id })
    if (stored.state === 'open' || stored.state === 'granted') return go(step.yes)
  }
  withdrawApproval(walk)
  if (step.expired !== null) return go(step.expired)
  tell(walk, lapsed)
  return confirm(walk, name, step)
}

function question(walk: Walk, name: string, text: string, expiresAt: Date): Move {
  tell(walk, text)
  walk.state.asked = name
  walk.state.asking = text
  walk.state.waiting = 'approval'
  const id = walk.state.approval
  return { kind: 'wait', offer: id === null ? null : { kind: 'approval', id, expiresAt: expiresAt.toISOString() } }
}
