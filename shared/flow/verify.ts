import type { Json } from './json.ts'
import { namesInteger } from './pick.ts'
import { rowShownAs } from './rows.ts'
import { wholePattern } from './slot-pattern.ts'
import { inRange, type OpenSlot } from './understand.ts'

/**
 * A model's value for a slot as code lets it stand, or null: a choice must be one that was offered, a number must be in
 * range and stand in the message, a text must be the employee's own words and fit its pattern.
 */
export function verifyValue({ slot, rows }: OpenSlot, value: string | number | null, message: string): Json {
  if (value === null) return null
  if (slot.type === 'choice') return typeof value === 'string' ? (rowShownAs(rows, value)?.value ?? null) : null
  if (slot.type === 'integer') {
    return typeof value === 'number' && inRange(slot, value) && namesInteger(message, value) ? value : null
  }
  if (typeof value !== 'string') return null
  const words = spokenAs(value, message)
  if (words === null || slot.pattern === null) return words
  return wholePattern(slot.pattern).test(words) ? words : null
}

/** The stretch of the message that these words are, as the employee wrote it; letter case and white space may differ. */
function spokenAs(value: string, message: string): string | null {
  const words = value
    .normalize('NFC')
    .trim()
    .split(/\s+/u)
    .filter((word) => word !== '')
  if (words.length === 0) return null
  const body = words.map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&')).join('\\s+')
  // Scripts that put spaces between words: there, a piece of a word is not what was said.
  const letter = '[\\p{Script=Latin}\\p{Script=Greek}\\p{Script=Cyrillic}\\p{N}]'
  const [first = ''] = words
  const last = words.at(-1) ?? ''
  const before = new RegExp(`^${letter}`, 'u').test(first) ? `(?<!${letter})` : ''
  const after = new RegExp(`${letter}$`, 'u').test(last) ? `(?!${letter})` : ''
  return new RegExp(before + body + after, 'iu').exec(message.normalize('NFC'))?.[0] ?? null
}
