import type { ExtractStep, Slot, Target } from '../agent.ts'
import type { EffectResult, SlotQuestion } from '../effects.ts'
import type { Json } from '../json.ts'
import { rowsOf } from '../rows.ts'
import { go, type Move, refuseResult, resultOf, type Turn } from '../turn.ts'
import { type OpenSlot, understand } from '../understand.ts'
import { verifyValue } from '../verify.ts'

/** Fills slots from the message: by code where that is certain, and only the rest is a question for the model. */
export function extract(turn: Turn, name: string, step: ExtractStep): Move {
  const slots = openSlots(turn, step)
  const { found, unread } = readByCode(turn, slots)
  if (unread.length === 0) return fill(turn, step, found)
  return {
    kind: 'effect',
    effect: {
      kind: 'extract',
      step: name,
      message: turn.message,
      asked: turn.state.asking,
      slots: unread.map(questionOf),
    },
  }
}

/** Takes of the model's values those that code can verify against the message and the known values. */
export function extracted(turn: Turn, step: ExtractStep, result: EffectResult): Move {
  if (result.kind !== 'extracted') return refuseResult(turn, result.kind)
  const { found, unread } = readByCode(turn, openSlots(turn, step))
  const values = result.values ?? {}
  for (const slot of unread) {
    const given = Object.hasOwn(values, slot.name) ? (values[slot.name] ?? null) : null
    const value = verifyValue(slot, given, turn.message)
    if (value !== null) found.set(slot.name, value)
  }
  return fill(turn, step, found)
}

/** What code found, and the slots that a model has to be asked about. The state is untouched: asking again asks the same. */
function readByCode(turn: Turn, slots: OpenSlot[]): { found: Map<string, Json>; unread: OpenSlot[] } {
  const readings = understand(slots, turn.message)
  const found = new Map<string, Json>()
  for (const [slot, reading] of readings) if (reading.kind === 'value') found.set(slot, reading.value)
  const unread = slots.filter(
    // A slot that has its value is asked about only when the message gave nothing else: then it may correct that.
    ({ name, value }) => readings.get(name)?.kind === 'open' && (value === null || found.size === 0),
  )
  return { found, unread }
}

function fill(turn: Turn, step: ExtractStep, found: Map<string, Json>): Move {
  for (const [name, value] of found) turn.state.slots[name] = value
  if (found.size === 0 && step.none !== null) return go(step.none)
  // A slot without a branch of its own may stay empty.
  const empty = step.slots.find(
    (name) => missingBranch(step, name) !== null && (turn.state.slots[name] ?? null) === null,
  )
  return go(empty === undefined ? step.next : (missingBranch(step, empty) ?? step.next))
}

function missingBranch(step: ExtractStep, slot: string): Target | null {
  return Object.hasOwn(step.missing, slot) ? (step.missing[slot] ?? null) : null
}

function openSlots(turn: Turn, step: ExtractStep): OpenSlot[] {
  return step.slots.flatMap((name) => {
    const slot: Slot | undefined = turn.agent.slots[name]
    if (slot === undefined) return []
    const rows = slot.type === 'choice' ? rowsOf(slot, resultOf(turn, slot.from)) : []
    return [{ name, slot, rows, value: turn.state.slots[name] ?? null }]
  })
}

function questionOf({ name, slot, rows }: OpenSlot): SlotQuestion {
  const question = { name, type: slot.type, description: slot.description }
  if (slot.type === 'choice') return { ...question, values: rows.map(({ display }) => display) }
  if (slot.type === 'text') return slot.pattern === null ? question : { ...question, pattern: slot.pattern }
  return {
    ...question,
    ...(slot.minimum === null ? {} : { minimum: slot.minimum }),
    ...(slot.maximum === null ? {} : { maximum: slot.maximum }),
  }
}
