import type { Slot } from './agent.ts'
import { foldText } from './fold-text.ts'
import type { Json } from './json.ts'
import { mayNameInteger, type Pick, placeNamedIn, readPick } from './pick.ts'
import { type Row, rowNamedIn } from './rows.ts'
import { spansOf } from './slot-pattern.ts'

/** A slot that a message may fill: what it takes now, and what it holds. */
export interface OpenSlot {
  name: string
  slot: Slot
  /** The rows of a choice. */
  rows: Row[]
  value: Json
}

/** What code alone makes of a message for one slot: its value, certainly nothing, or a question for the model. */
export type Reading = { kind: 'value'; value: Json } | { kind: 'nothing' } | { kind: 'open' }

const negation =
  /(?:^| )(?:not|no|don't|dont|never|without|except|nicht|kein|keine|pas|sin|non|não|nao)(?= |$|[,.;!?])/u
const nothing: Reading = { kind: 'nothing' }
const open: Reading = { kind: 'open' }

/** Reads a message for these slots without a model, as far as that is certain. */
export function understand(slots: OpenSlot[], message: string): Map<string, Reading> {
  const pick = readPick(message)
  const owner = pick === null ? null : ownerOf(slots, pick, message)
  return new Map(
    slots.map((slot): [string, Reading] => {
      if (pick === null || owner === null) return [slot.name, readOne(slot, message)]
      // The whole message is a number or a place, so it says nothing about any other slot.
      return [slot.name, slot === owner ? take(slot, pick, message) : nothing]
    }),
  )
}

/** The one slot that a bare number or place can be for: an empty one before one that has its value. */
function ownerOf(slots: OpenSlot[], pick: Pick, message: string): OpenSlot | null {
  const able = slots.filter(({ slot }) => {
    if (slot.type === 'choice') return true
    if (slot.type === 'integer') return pick.kind === 'number'
    return slot.pattern !== null && spansOf(slot.pattern, message).length > 0
  })
  const empty = able.filter(({ value }) => value === null)
  const candidates = empty.length > 0 ? empty : able
  return candidates.length === 1 ? (candidates[0] ?? null) : null
}

function take({ slot, rows }: OpenSlot, pick: Pick, message: string): Reading {
  if (slot.type === 'text') return readPattern(slot.pattern, message)
  if (slot.type === 'choice') {
    // A row may be called "3" itself: then the third row is not what was meant for certain.
    if (rowNamedIn(rows, message) !== null) return open
    const place = pick.kind === 'number' ? pick.number : pick.place
    const row = place === 'last' ? rows.at(-1) : place > 0 ? rows[place - 1] : undefined
    return row === undefined ? nothing : { kind: 'value', value: row.value }
  }
  return pick.kind === 'number' && inRange(slot, pick.number) ? { kind: 'value', value: pick.number } : nothing
}

function readOne({ slot, rows }: OpenSlot, message: string): Reading {
  if (slot.type === 'integer') return mayNameInteger(message) ? open : nothing
  if (slot.type === 'text') return slot.pattern === null ? open : readPattern(slot.pattern, message)
  if (rows.length === 0) return nothing
  // "Anything but the Air" names the Air too: with a negation about, words alone decide nothing.
  if (negation.test(foldText(message))) return open
  const row = rowNamedIn(rows, message) ?? rowAt(rows, placeNamedIn(message))
  return row === null ? open : { kind: 'value', value: row.value }
}

function rowAt(rows: Row[], place: number | null): Row | null {
  return place === null || place < 1 ? null : (rows[place - 1] ?? null)
}

function readPattern(pattern: string | null, message: string): Reading {
  if (pattern === null) return open
  const spans = spansOf(pattern, message)
  const [only] = spans
  if (only === undefined) return nothing
  return spans.length === 1 ? { kind: 'value', value: only } : open
}

export function inRange(slot: Extract<Slot, { type: 'integer' }>, value: number): boolean {
  return (
    Number.isSafeInteger(value) &&
    (slot.minimum === null || value >= slot.minimum) &&
    (slot.maximum === null || value <= slot.maximum)
  )
}
