import * as z from 'zod/mini'
import type { Effect, EffectResult } from '../../../shared/flow/index.ts'
import type { RecordedApproval, RecordedStep } from '../../../shared/store/recorded-turn.ts'
import { ask, type ModelEffect } from '../ask-model.ts'
import type { CallRecord, Outside, ReadEffect } from '../walk-flow.ts'
import { recordedModel } from './recorded-model.ts'

/** The step asks for something of which the journal holds nothing: from there on there is no record to go by. */
export class Departure extends Error {}

/** Takes note of a difference: a sentence, and what was recorded beside what the replay made. */
export type Note = (sentence: string, recorded: unknown, replayed: unknown) => void

type CallEffect = Extract<Effect, { kind: 'call' }>

const value = z.record(z.string(), z.json())
const readRecords = z.array(
  z.object({
    effect: z.looseObject({ kind: z.enum(['lookup', 'search']), step: z.string() }),
    result: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('rows'), rows: z.array(value) }),
      z.object({
        kind: z.literal('passages'),
        passages: z.array(z.object({ title: z.string(), heading: z.string(), name: z.string(), content: z.string() })),
      }),
    ]),
  }),
)
const modelAnswer = z.union([z.string(), z.object({ raw: z.string(), value: z.string() })])
const toolOutcome = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), value: z.json() }),
  z.object({ ok: z.literal(false), code: z.string(), message: z.string() }),
])

/**
 * What a step reaches when it is run again: the records, the answer, the moment and the approval that its journal
 * holds. It touches neither network nor store. `unread` counts the records that nothing asked for.
 */
export function recordedOutside(
  step: RecordedStep,
  approvals: RecordedApproval[],
  note: Note,
): Outside & { unread(): number } {
  const reads = parse(readRecords, step.reads, 'what the step looked up')
  let taken = 0
  return {
    now: step.startedAt,
    async findApproval(id) {
      if (step.approval === null) return null
      const stored = approvals.find((approval) => approval.id === id)
      if (stored === undefined) throw new Departure(`It goes by approval ${id}, which is no longer stored`)
      return { ...stored, state: step.approval }
    },
    async read(effect) {
      const recorded = reads[taken]
      if (recorded === undefined || !fits(effect, recorded.result)) {
        throw new Departure(`It makes the ${effect.kind} of ${effect.step}, of which the journal holds nothing`)
      }
      taken += 1
      note(`It looks up something else in ${effect.step}`, recorded.effect, effect)
      return recorded.result
    },
    async perform(effect) {
      if (step.kind !== effect.kind) {
        throw new Departure(`It makes the ${effect.kind} of ${effect.step}, of which the journal holds nothing`)
      }
      return effect.kind === 'call' ? callAgain(effect, step, note) : await askAgain(effect, step, note)
    },
    unread: () => reads.length - taken,
  }
}

function fits(effect: ReadEffect, result: EffectResult): boolean {
  return (effect.kind === 'lookup') === (result.kind === 'rows')
}

function callAgain(effect: CallEffect, step: RecordedStep, note: Note): { record: CallRecord; result: EffectResult } {
  const request = { tool: effect.tool, arguments: effect.arguments, approval: effect.approval }
  note(`It calls ${effect.tool} otherwise than was recorded`, step.request, request)
  const outcome = parse(toolOutcome, step.answer, `the answer of ${effect.tool}`)
  return { record: recordOf(effect, step, request, null), result: { kind: 'called', outcome } }
}

async function askAgain(
  effect: ModelEffect,
  step: RecordedStep,
  note: Note,
): Promise<{ record: CallRecord; result: EffectResult }> {
  const recorded = parse(modelAnswer, step.answer, "the model's answer")
  const model = recordedModel(
    typeof recorded === 'string' ? { raw: recorded } : { raw: recorded.raw, value: valueIn(recorded.value) },
  )
  const { answer, result } = await ask(effect, model, new AbortController().signal)
  note('The prompt is not the one that was sent', step.request, answer.messages)
  note("The prompt's hash is not the recorded one", step.promptHash, answer.promptHash)
  return { record: recordOf(effect, step, answer.messages, answer.promptHash), result }
}

function valueIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Departure("The journal holds the model's answer in no form that a step writes")
  }
}

function recordOf(
  effect: CallEffect | ModelEffect,
  step: RecordedStep,
  request: unknown,
  promptHash: string | null,
): CallRecord {
  const { answer, inputTokens, outputTokens } = step
  return { kind: effect.kind, step: effect.step, promptHash, request, answer, inputTokens, outputTokens, write: null }
}

/** @throws Departure where a record is not of the form in which it was written. */
function parse<T>(schema: z.ZodMiniType<T>, record: unknown, what: string): T {
  const parsed = schema.safeParse(record)
  if (!parsed.success) throw new Departure(`The journal holds ${what} in no form that a step writes`)
  return parsed.data
}
