import { Fault } from '../../errors/fault.ts'
import { parseEmail } from '../../identity/email.ts'
import type { ApproveStep } from '../agent.ts'
import { hashArguments } from '../canonical-json.ts'
import { go, type Move, resultOf, tell, textOf, type Walk } from '../walk.ts'
import {
  approvedBy,
  forgetApproval,
  grantedApproval,
  nameApproval,
  storedApproval,
  withdrawApproval,
} from './approval.ts'

/**
 * Asks somebody else for the yes to what the employee has confirmed, tells the employee so, and leaves the
 * conversation: the flow goes on from here once they decided, or did not in time.
 */
export function approve(walk: Walk, name: string, step: ApproveStep): Move {
  const { scope, state } = walk
  const confirmed = grantedApproval(walk, step.confirm, step.tool)
  const by = resultOf(walk, step.by)
  const person = typeof by === 'string' ? parseEmail(by) : null
  if (person === null || person === scope.person.email) {
    withdrawApproval(walk)
    return go(step.nobody)
  }
  walk.approvals.push({ kind: 'use', id: confirmed.id })
  const question = textOf(walk, step.ask)
  const id = scope.newId(`approval ${name}`)
  const pending = { step: name, tool: step.tool, arguments: confirmed.pending.arguments }
  nameApproval(walk, id, pending)
  state.waiting = 'decision'
  state.asked = null
  state.asking = null
  walk.approvals.push({
    kind: 'open',
    id,
    ...pending,
    argumentsHash: hashArguments(pending.arguments),
    person,
    expiresAt: new Date(scope.now.getTime() + step.expiresMs),
    question,
    continuation: { ...state, slots: { ...state.slots }, variables: { ...state.variables } },
  })
  tell(walk, textOf(walk, step.waiting))
  return { kind: 'end' }
}

/** Goes on by what the store says was decided; whatever words came with it decide nothing. */
export function answerApprove(walk: Walk, name: string, step: ApproveStep): Move {
  const stored = storedApproval(walk)
  if (stored !== null && approvedBy(stored)) return go(step.yes)
  if (stored === null || stored.state === 'open') {
    throw new Fault('flow.step-unknown', `step ${name} of ${walk.agent.name} goes on before anybody decided`)
  }
  forgetApproval(walk)
  return go(stored.state === 'declined' ? step.no : step.expired)
}
