import type { ExtractStep, Slot, Target } from '../agent.ts'
import type { EffectResult, SlotQuestion } from '../effects.ts'
import type { Json } from '../json.ts'
import { hasOwnWords, spellingsOf } from '../own-words.ts'
import { rowsOf } from '../rows.ts'
import { type OpenSlot, understand } from '../understand.ts'
import { verifyValue } from '../verify.ts'
import { go, type Move, refuseResult, resultOf, type Walk } from '../walk.ts'

/** Fills slots from the message: by code where that is certain, and only the rest is a question for the model. */
export function extract(walk: Walk, name: string, step: ExtractStep): Move {
  const slots = openSlots(walk, step)
  const { found, unread } = readByCode(walk, slots)
  if (unread.length === 0) return fill(walk, step, found)
  return {
    kind: 'effect',
    effect: {
      kind: 'extract',
      step: name,
      message: walk.message,
      asked: walk.state.asking,
      slots: unread.map(questionOf),
    },
  }
}

/** Takes of the model's values those that code can verify against the message and the known values. */
export function extracted(walk: Walk, step: ExtractStep, result: EffectResult): Move {
  if (result.kind !== 'extracted') return refuseResult(walk, result.kind)
  const slots = openSlots(walk, step)
  const { found, unread } = readByCode(walk, slots)
  const values = result.values ?? {}
  for (const slot of unread) {
    const given = Object.hasOwn(values, slot.name) ? (values[slot.name] ?? null) : null
    const value = verifyValue(slot, given, walk.message)
    if (value !== null) found.set(slot.name, value)
  }
  for (const { name, slot } of unread) {
    if (slot.type !== 'text' || slot.pattern !== null) continue
    const words = found.get(name)
    if (typeof words === 'string' && !hasOwnWords(walk.agent, words, takenBeside(walk, slots, found, name))) {
      found.delete(name)
    }
  }
  return fill(walk, step, found)
}

/** What the other slots account for of a message: what they hold after it, and the names that choices offer. */
function takenBeside(walk: Walk, slots: OpenSlot[], found: Map<string, Json>, name: string): string[] {
  const held = Object.entries(walk.agent.slots).flatMap(([other, slot]) =>
    other === name ? [] : spellingsOf(slot, found.get(other) ?? walk.state.slots[other] ?? null),
  )
  return [...held, ...slots.flatMap(({ rows }) => rows.flatMap(({ names }) => names))]
}

/** What code found, and the slots that a model has to be asked about. The state is untouched: asking again asks the same. */
function readByCode(walk: Walk, slots: OpenSlot[]): { found: Map<string, Json>; unread: OpenSlot[] } {
  const readings = understand(slots, walk.message)
  const found = new Map<string, Json>()
  for (const [slot, reading] of readings) if (reading.kind === 'value') found.set(slot, reading.value)
  const unread = slots.filter(
    // A slot that has its value is asked about only when the message gave nothing else: then it may correct that.
    ({ name, value }) => readings.get(name)?.kind === 'open' && (value === null || found.size === 0),
  )
  return { found, unread }
}

function fill(walk: Walk, step: ExtractStep, found: Map<string, Json>): Move {
  for (const [name, value] of found) walk.state.slots[name] = value
  if (found.size === 0 && step.none !== null) return go(step.none)
  // A slot without a branch of its own may stay empty.
  const empty = step.slots.find(
    (name) => missingBranch(step, name) !== null && (walk.state.slots[name] ?? null) === null,
  )
  return go(empty === undefined ? step.next : (missingBranch(step, empty) ?? step.next))
}

function missingBranch(step: ExtractStep, slot: string): Target | null {
  return Object.hasOwn(step.missing, slot) ? (step.missing[slot] ?? null) : null
}

function openSlots(walk: Walk, step: ExtractStep): OpenSlot[] {
  return step.slots.flatMap((name) => {
    const slot: Slot | undefined = walk.agent.slots[name]
    if (slot === undefined) return []
    const rows = slot.type === 'choice' ? rowsOf(slot, resultOf(walk, slot.from)) : []
    return [{ name, slot, rows, value: walk.state.slots[name] ?? null }]
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
