import type { Slot } from './agent.ts'
import { foldText } from './fold-text.ts'
import { isJsonObject, type Json } from './json.ts'

export type ChoiceSlot = Extract<Slot, { type: 'choice' }>

/** One thing that can be chosen: its value, the name it is offered under, the names an employee may know it by. */
export interface Row {
  value: Json
  display: string
  names: string[]
}

/**
 * The rows of a choice, each under the value of its first `match` field; where two rows share that, all of them are shown
 * under all their `match` fields. A plain value is its own name.
 */
export function rowsOf(slot: ChoiceSlot, list: Json): Row[] {
  const rows = (Array.isArray(list) ? list : []).map((value) => ({ value, names: namesOf(slot, value) }))
  const firsts = rows.map(({ names }) => names[0] ?? '')
  const unique = new Set(firsts.map(foldText)).size === rows.length
  return rows.map(({ value, names }, index) => ({
    value,
    names,
    display: unique ? (firsts[index] ?? '') : names.join(', '),
  }))
}

/** The row of that display value, in any letter case, or null where there is none or more than one. */
export function rowShownAs(rows: Row[], display: string): Row | null {
  const wanted = foldText(display)
  const found = rows.filter((row) => row.display !== '' && foldText(row.display) === wanted)
  return found.length === 1 ? (found[0] ?? null) : null
}

/**
 * The one row that the message names, or null. Whole words in any letter case; a name that stands inside a longer one
 * does not count, so "Air 15" is not also "Air".
 */
export function rowNamedIn(rows: Row[], message: string): Row | null {
  const text = foldText(message)
  const spans = rows.flatMap((row) =>
    row.names.flatMap((name) => occurrences(text, foldText(name)).map((span) => ({ row, ...span }))),
  )
  const outermost = spans.filter(
    (span) =>
      !spans.some(
        (other) =>
          other.start <= span.start && other.end >= span.end && other.end - other.start > span.end - span.start,
      ),
  )
  const named = narrowest(outermost)
  return named.size === 1 ? ([...named][0] ?? null) : null
}

/** Where several rows share a name ("Air") and another name ("AIR-15") singles one of them out, it is that one. */
function narrowest(spans: { row: Row; start: number; end: number }[]): Set<Row> {
  const places = Map.groupBy(spans, ({ start, end }) => `${start}-${end}`)
  const sets = [...places.values()].map((place) => new Set(place.map(({ row }) => row)))
  const named = new Set(spans.map(({ row }) => row))
  const common = [...named].filter((row) => sets.every((set) => set.has(row)))
  return common.length === 1 ? new Set(common) : named
}

function namesOf(slot: ChoiceSlot, value: Json): string[] {
  if (typeof value === 'string' || typeof value === 'number') return [String(value)]
  if (!isJsonObject(value)) return []
  return slot.match.flatMap((field) => {
    const name = Object.hasOwn(value, field) ? value[field] : null
    return typeof name === 'string' || typeof name === 'number' ? [String(name)] : []
  })
}

/** Where a name stands in a text as whole words; both are folded. */
export function occurrences(text: string, name: string): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = []
  if (name === '') return found
  for (let start = text.indexOf(name); start !== -1; start = text.indexOf(name, start + 1)) {
    const end = start + name.length
    if (!joins(text.slice(0, start).at(-1), name.at(0)) && !joins(name.at(-1), text.at(end))) found.push({ start, end })
  }
  return found
}

/** Two characters that belong to one word. */
function joins(left: string | undefined, right: string | undefined): boolean {
  return left !== undefined && right !== undefined && /[\p{L}\p{N}]/u.test(left) && /[\p{L}\p{N}]/u.test(right)
}
