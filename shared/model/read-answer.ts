import * as z from 'zod/mini'
import type { Sentence, SlotQuestion, SlotValues } from './model.ts'
import { visible } from './spotlight.ts'

/** An answer longer than this is none of ours: no schema that is asked for needs it. */
const longest = 20_000

/** The label in `{"label": …}`, or null where that is not exactly what the model answered or the label was not offered. */
export function readDecision(raw: string, labels: readonly string[]): string | null {
  const parsed = z.strictObject({ label: z.string() }).safeParse(json(raw))
  return parsed.success && labels.includes(parsed.data.label) ? parsed.data.label : null
}

/**
 * The slots of an answer, every one of them present, of its type and, for a choice, one of its values; else null.
 * Whether a value really stands in the message is for the flow to check.
 */
export function readExtraction(raw: string, slots: readonly SlotQuestion[]): SlotValues | null {
  const value = json(raw)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const given = new Map<string, unknown>(Object.entries(value))
  if (given.size !== slots.length) return null
  const values: SlotValues = {}
  for (const slot of slots) {
    if (!given.has(slot.name)) return null
    const parsed = slotValue(slot).safeParse(given.get(slot.name))
    if (!parsed.success) return null
    // Defined, not assigned: a slot by the name of __proto__ must not reach the prototype.
    Object.defineProperty(values, slot.name, {
      value: parsed.data,
      enumerable: true,
      writable: true,
      configurable: true,
    })
  }
  return values
}

/** The sentence numbers of an answer, each once, in the order given; null where one was not offered. */
export function readComposition(raw: string, sentences: readonly Sentence[]): number[] | null {
  const parsed = z.strictObject({ sentences: z.array(z.int()).check(z.maxLength(200)) }).safeParse(json(raw))
  if (!parsed.success) return null
  const known = new Set(sentences.map((sentence) => sentence.number))
  return parsed.data.sentences.every((number) => known.has(number)) ? [...new Set(parsed.data.sentences)] : null
}

function slotValue(slot: SlotQuestion) {
  if (slot.type === 'integer') return z.nullable(z.int())
  if (slot.type === 'choice')
    return z.nullable(z.string().check(z.refine((value) => slot.values?.includes(value) === true)))
  return z.nullable(
    z.string().check(
      z.maxLength(2_000),
      z.refine((value) => visible(value) === value),
    ),
  )
}

function json(raw: string): unknown {
  if (raw.length > longest) return undefined
  try {
    return JSON.parse(raw)
  } catch {
    return undefined
  }
}
