import { catalogue, type FaultCode } from '../../errors/catalogue.ts'
import type { CallStep } from '../agent.ts'
import { requireAllowed } from '../allowed-tool.ts'
import type { EffectResult } from '../effects.ts'
import { argumentsOf, go, type Move, refuseResult, save, type Walk } from '../walk.ts'
import { forgetApproval, grantedApproval } from './approval.ts'

/**
 * Calls a tool: a read with arguments of now, a write with exactly those that were approved.
 * @throws Fault `tool.not-allowed`, `tool.not-approved`
 */
export function call(walk: Walk, name: string, step: CallStep): Move {
  requireAllowed(walk.agent, name, step.tool)
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
    save(walk, 'failure', failureOf(outcome.code))
    return go(step.failure)
  }
  save(walk, 'failure', null)
  save(walk, step.save, outcome.value)
  return go(step.next)
}

/**
 * A failure as the flow may tell of it: a code of ours and our sentence for it. What the tool itself said of it may be
 * anybody's words, and stands in the journal.
 */
function failureOf(code: string): { code: FaultCode; message: string } {
  const known = isFaultCode(code) ? code : 'tool.refused'
  const { says, class: kind } = catalogue[known]
  return { code: known, message: says ?? (kind === 'retryable' ? away : refused) }
}

const away = 'The system I asked is not available right now.'
const refused = catalogue['tool.refused'].says ?? away

function isFaultCode(code: string): code is FaultCode {
  return Object.hasOwn(catalogue, code)
}
