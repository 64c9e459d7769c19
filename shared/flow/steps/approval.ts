import { Fault } from '../../errors/fault.ts'
import { hashArguments } from '../canonical-json.ts'
import { isJsonObject, type Json } from '../json.ts'
import type { Scope } from '../state.ts'
import type { Walk } from '../walk.ts'

/** Kept beside the variables under a name that no expression can spell, so that what was approved is what is called. */
const pendingName = '$approval'

export interface PendingApproval {
  step: string
  tool: string
  arguments: Record<string, Json>
}

/** Opens the approval of a confirm step; one that is open already lapses. Returns nothing: the state names it. */
export function openApproval(walk: Walk, pending: PendingApproval, question: string, expiresMs: number): void {
  withdrawApproval(walk)
  const { scope } = walk
  const id = scope.newId(`approval ${pending.step}`)
  nameApproval(walk, id, pending)
  walk.approvals.push({
    kind: 'open',
    id,
    ...pending,
    argumentsHash: hashArguments(pending.arguments),
    person: scope.person.email,
    expiresAt: new Date(scope.now.getTime() + expiresMs),
    question,
    continuation: null,
  })
}

/** Makes it the state's approval: the one whose yes the flow waits for, and what it is for. */
export function nameApproval(walk: Walk, id: string, pending: PendingApproval): void {
  walk.state.approval = id
  walk.state.variables[pendingName] = { step: pending.step, tool: pending.tool, arguments: pending.arguments }
}

/** The approval that the state names as the store has it, or null where the store has another or none. */
export function storedApproval(walk: Walk): Scope['approval'] {
  const { approval } = walk.scope
  return approval !== null && approval.id === walk.state.approval ? approval : null
}

/** True until, and no longer at, the moment at which it expires. */
export function inTime(walk: Walk, approval: { expiresAt: Date }): boolean {
  return walk.scope.now.getTime() < approval.expiresAt.getTime()
}

/** What the state's approval is for, or null. */
export function pendingApproval(walk: Walk): PendingApproval | null {
  const kept = walk.state.variables[pendingName]
  if (walk.state.approval === null || !isJsonObject(kept)) return null
  const { step, tool, arguments: given } = kept
  if (typeof step !== 'string' || typeof tool !== 'string' || !isJsonObject(given)) return null
  return { step, tool, arguments: given }
}

/** True where its yes was given, whether or not something has used it yet. */
export function approvedBy(approval: { state: string }): boolean {
  return approval.state === 'granted' || approval.state === 'used'
}

/** Forgets the approval, and expires it where nothing has used it. */
export function withdrawApproval(walk: Walk): void {
  const stored = storedApproval(walk)
  if (stored?.state === 'open' || stored?.state === 'granted') walk.approvals.push({ kind: 'expire', id: stored.id })
  forgetApproval(walk)
}

/** Forgets the approval: it was used, declined, or lapsed. */
export function forgetApproval(walk: Walk): void {
  walk.state.approval = null
  delete walk.state.variables[pendingName]
}

/**
 * The granted approval that a write uses. Throws Fault `tool.not-approved` where there is none of this step and
 * tool: the check of the agent's file makes that impossible, and this makes it harmless.
 */
export function grantedApproval(walk: Walk, confirm: string, tool: string): { id: string; pending: PendingApproval } {
  const id = walk.state.approval
  const pending = pendingApproval(walk)
  const stored = storedApproval(walk)
  const granted =
    (stored !== null && approvedBy(stored)) ||
    walk.approvals.some((change) => change.kind === 'grant' && change.id === id)
  if (id === null || pending === null || !granted || pending.step !== confirm || pending.tool !== tool) {
    throw new Fault('tool.not-approved', `step ${walk.state.at} of ${walk.agent.name} has no approval for ${tool}`)
  }
  return { id, pending }
}
