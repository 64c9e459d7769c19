import { Fault } from '../../errors/fault.ts'
import { hashArguments } from '../canonical-json.ts'
import { isJsonObject, type Json } from '../json.ts'
import type { Scope } from '../state.ts'
import type { Turn } from '../turn.ts'

/** Kept beside the variables under a name that no expression can spell, so that what was approved is what is called. */
const pendingName = '$approval'

export interface PendingApproval {
  step: string
  tool: string
  arguments: Record<string, Json>
}

/** Opens the approval of a confirm step; one that is open already lapses. Returns nothing: the state names it. */
export function openApproval(turn: Turn, pending: PendingApproval, expiresMs: number): void {
  withdrawApproval(turn)
  const { scope, state } = turn
  const id = scope.newId(`approval ${pending.step}`)
  state.approval = id
  state.variables[pendingName] = { step: pending.step, tool: pending.tool, arguments: pending.arguments }
  turn.approvals.push({
    kind: 'open',
    id,
    ...pending,
    argumentsHash: hashArguments(pending.arguments),
    person: scope.person.email,
    expiresAt: new Date(scope.now.getTime() + expiresMs),
  })
}

/** The approval that the state names as the store has it, or null where the store has another or none. */
export function storedApproval(turn: Turn): Scope['approval'] {
  const { approval } = turn.scope
  return approval !== null && approval.id === turn.state.approval ? approval : null
}

/** True until, and no longer at, the moment at which it expires. */
export function inTime(turn: Turn, approval: { expiresAt: Date }): boolean {
  return turn.scope.now.getTime() < approval.expiresAt.getTime()
}

/** What the state's approval is for, or null. */
export function pendingApproval(turn: Turn): PendingApproval | null {
  const kept = turn.state.variables[pendingName]
  if (turn.state.approval === null || !isJsonObject(kept)) return null
  const { step, tool, arguments: given } = kept
  if (typeof step !== 'string' || typeof tool !== 'string' || !isJsonObject(given)) return null
  return { step, tool, arguments: given }
}

/** Forgets the approval, and expires it where it is still open. */
export function withdrawApproval(turn: Turn): void {
  const stored = storedApproval(turn)
  if (stored?.state === 'open') turn.approvals.push({ kind: 'expire', id: stored.id })
  forgetApproval(turn)
}

/** Forgets the approval: it was used, declined, or lapsed. */
export function forgetApproval(turn: Turn): void {
  turn.state.approval = null
  delete turn.state.variables[pendingName]
}

/**
 * The granted approval that a write uses. Throws Fault `tool.not-approved` where there is none for this confirm step and
 * tool: the check of the agent's file makes that impossible, and this makes it harmless.
 */
export function grantedApproval(turn: Turn, confirm: string, tool: string): { id: string; pending: PendingApproval } {
  const id = turn.state.approval
  const pending = pendingApproval(turn)
  const stored = storedApproval(turn)
  const granted =
    stored?.state === 'granted' ||
    stored?.state === 'used' ||
    turn.approvals.some((change) => change.kind === 'grant' && change.id === id)
  if (id === null || pending === null || !granted || pending.step !== confirm || pending.tool !== tool) {
    throw new Fault('tool.not-approved', `step ${turn.state.at} of ${turn.agent.name} has no approval for ${tool}`)
  }
  return { id, pending }
}
