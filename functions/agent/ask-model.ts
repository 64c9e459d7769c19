import { Fault } from '../../shared/errors/fault.ts'
import type { Effect, EffectResult } from '../../shared/flow/index.ts'
import type { ModelAnswer } from '../../shared/model/model.ts'
import { faultPoint } from '../../shared/stage/fault-point.ts'
import type { TurnInContext } from '../../shared/store/turns.ts'
import type { AgentParts } from './parts.ts'
import type { CallRecord } from './walk-flow.ts'

export type ModelEffect = Extract<Effect, { kind: 'decide' | 'extract' | 'compose' }>

/**
 * Asks the model one constrained question. What it answers is only ever a label, slot values or sentence numbers; the
 * flow verifies each before it counts.
 * @throws Fault `flow.budget-spent`, and the `model.*` faults
 */
export async function askModel(
  effect: ModelEffect,
  turn: TurnInContext,
  signal: AbortSignal,
  parts: AgentParts,
): Promise<{ record: CallRecord; result: EffectResult }> {
  requireBudget(turn, parts)
  await faultPoint('agent: before model call')
  const asked = await ask(effect, signal, parts)
  await faultPoint('agent: after model call')
  return asked
}

async function ask(
  effect: ModelEffect,
  signal: AbortSignal,
  parts: AgentParts,
): Promise<{ record: CallRecord; result: EffectResult }> {
  switch (effect.kind) {
    case 'decide': {
      const answer = await parts.model.decide(effect, signal)
      return { record: toRecord(effect, answer), result: { kind: 'decided', label: answer.value } }
    }
    case 'extract': {
      const answer = await parts.model.extract(effect, signal)
      return { record: toRecord(effect, answer), result: { kind: 'extracted', values: answer.value } }
    }
    case 'compose': {
      const answer = await parts.model.compose(effect, signal)
      return { record: toRecord(effect, answer), result: { kind: 'composed', sentences: answer.value } }
    }
  }
}

function toRecord(effect: ModelEffect, answer: ModelAnswer<unknown>): CallRecord {
  return {
    kind: effect.kind,
    step: effect.step,
    promptHash: answer.promptHash,
    request: answer.messages,
    answer: answer.raw,
    inputTokens: answer.usage.inputTokens,
    outputTokens: answer.usage.outputTokens,
    write: null,
  }
}

function requireBudget(turn: TurnInContext, parts: AgentParts): void {
  if (turn.inputTokens + turn.outputTokens >= parts.limits.tokensPerTurn) {
    throw new Fault('flow.budget-spent', `turn ${turn.id}`)
  }
  if (turn.sessionInputTokens + turn.sessionOutputTokens >= parts.limits.tokensPerSession) {
    throw new Fault('flow.budget-spent', `session ${turn.session}`)
  }
}
