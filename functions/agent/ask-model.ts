import { isDeepStrictEqual } from 'node:util'
import { Fault } from '../../shared/errors/fault.ts'
import type { Effect, EffectResult } from '../../shared/flow/index.ts'
import type { Model, ModelAnswer } from '../../shared/model/model.ts'
import { faultPoint } from '../../shared/stage/fault-point.ts'
import type { TurnInContext } from '../../shared/store/turns.ts'
import type { AgentParts } from './parts.ts'
import { recordedModel } from './replay/recorded-model.ts'
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
  const asked = await ask(effect, parts.model, signal)
  await faultPoint('agent: after model call')
  return { record: toRecord(effect, asked.answer, await isReadAgain(effect, asked, signal)), result: asked.result }
}

interface Asked {
  answer: ModelAnswer<unknown>
  result: EffectResult
}

/** Puts the effect's question to a model, live or recorded. */
export async function ask(effect: ModelEffect, model: Model, signal: AbortSignal): Promise<Asked> {
  switch (effect.kind) {
    case 'decide': {
      const answer = await model.decide(effect, signal)
      return { answer, result: { kind: 'decided', label: answer.value } }
    }
    case 'extract': {
      const answer = await model.extract(effect, signal)
      return { answer, result: { kind: 'extracted', values: answer.value } }
    }
    case 'compose': {
      const answer = await model.compose(effect, signal)
      return { answer, result: { kind: 'composed', sentences: answer.value } }
    }
  }
}

/** Whether a replay reads the same from the answer's words as the model's client did. */
async function isReadAgain(effect: ModelEffect, { answer, result }: Asked, signal: AbortSignal): Promise<boolean> {
  const again = await ask(effect, recordedModel({ raw: answer.raw }), signal)
  return isDeepStrictEqual(again.result, result)
}

/**
 * An answer that was cut short, or cleaned before it was written down, is kept with what was read of it, as JSON text:
 * Postgres' own JSON does not take every character.
 */
function toRecord(effect: ModelEffect, answer: ModelAnswer<unknown>, readAgain: boolean): CallRecord {
  return {
    kind: effect.kind,
    step: effect.step,
    promptHash: answer.promptHash,
    request: answer.messages,
    answer: readAgain ? answer.raw : { raw: answer.raw, value: JSON.stringify(answer.value) },
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
