import type { CallStep } from '../agent.ts'
import type { EffectResult } from '../effects.ts'
import { argumentsOf, go, type Move, refuseResult, save, type Walk } from '../walk.ts'
import { forgetApproval, grantedApproval } from './approval.ts'

/** Calls a tool: a read with arguments of now, a write with exactly those that were approved. */
export function call(walk: Walk, name: string, step: CallStep): Move {
  const granted = step.approval === null ? null : grantedApproval(walk, step.approval, step.tool)
  return {
    kind: 'effect',
    effect: {
      kind: 'call',
      step: name,
      tool: step.tool,
      arguments: granted?.pending.arguments ?? argumentsOf(walk, step.arguments),
      approval: granted?.id ?? null,
      timeoutMs: step.timeoutMs,
      retries: step.retries,
    },
  }
}

/** Keeps what the tool answered, or why it did not. An approval is spent either way. */
export function called(walk: Walk, step: CallStep, result: EffectResult): Move {
  if (result.kind !== 'called') return refuseResult(walk, result.kind)
  if (step.approval !== null) forgetApproval(walk)
  const { outcome } = result
  if (!outcome.ok) {
    save(walk, 'failure', { code: outcome.code, message: outcome.message })
    return go(step.failure)
  }
  save(walk, 'failure', null)
  save(walk, step.save, outcome.value)
  return go(step.next)
}
