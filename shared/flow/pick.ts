import { foldPhrase } from './fold-text.ts'
import { cardinalWords, ordinalWords } from './number-words.ts'

/** A message that is nothing but a number ("3", "number three") or a place in a list ("the third one", "#3"). */
export type Pick = { kind: 'number'; number: number } | { kind: 'place'; place: number | 'last' }

const filler = new Set(['please', 'thanks', 'thank', 'you', 'the', 'just', 'take', 'pick', 'choose', 'select', "i'll"])
const opening = /^(?:i'd like|i would like|i want|i choose|i pick|i take|let's go with|go with|give me)\s+/u
const nouns = new Set(['option', 'number', 'nr', 'choice', 'item', 'one', 'entry'])

/**
 * The number or place that the whole message names, or null where it says anything beside that. Signs, decimals and
 * digit groups ("-3", "2.5", "1,000") are not read: what they mean is for the model and the check on it.
 */
export function readPick(message: string): Pick | null {
  const text = foldPhrase(message).replace(opening, '')
  const words = text
    .split(' ')
    .map((word) => word.replace(/[.,!):]+$/u, ''))
    .filter((word) => word !== '' && !filler.has(word))
  const [only] = words
  if (words.length === 1 && only !== undefined) return pickOf(only)
  const [first, second] = words
  if (words.length !== 2 || first === undefined || second === undefined) return null
  // "option 3", "number three": the noun makes the number a place.
  if (nouns.has(first) && first !== 'one') {
    const pick = pickOf(second)
    return pick?.kind === 'number' ? { kind: 'place', place: pick.number } : pick
  }
  // "third one", "3rd option", "last one".
  if (nouns.has(second)) {
    const pick = pickOf(first)
    return pick?.kind === 'place' ? pick : null
  }
  return null
}

/** The one place that a longer message names as a place ("option 3 and create the ticket now"); null for none or several. */
export function placeNamedIn(message: string): number | null {
  const named = [
    ...foldPhrase(message).matchAll(
      /(?:(?<= |^)(?:option|number|nr|choice|item)\.? |#)(\d{1,3})(?![\p{L}\p{N}]|[.,]\d)/gu,
    ),
  ]
  const places = new Set(named.map(([, digits]) => Number(digits)))
  const [only] = places
  return places.size === 1 && only !== undefined ? only : null
}

function pickOf(word: string): Pick | null {
  if (/^\d{1,9}$/u.test(word)) return { kind: 'number', number: Number(word) }
  const cardinal = cardinalWords.get(word)
  if (cardinal !== undefined) return { kind: 'number', number: cardinal }
  const place = /^#(\d{1,9})$/u.exec(word) ?? /^(\d{1,9})(?:st|nd|rd|th)$/u.exec(word)
  if (place?.[1] !== undefined) return { kind: 'place', place: Number(place[1]) }
  if (word === 'last') return { kind: 'place', place: 'last' }
  const ordinal = ordinalWords.get(word)
  return ordinal === undefined ? null : { kind: 'place', place: ordinal }
}

/** Whether this whole number stands in the message: as digits of its own (thousands may be grouped), or as its word. */
export function namesInteger(message: string, value: number): boolean {
  const text = message.normalize('NFKC').toLowerCase()
  const grouped = text.replace(/(?<=(?<![\d.,])\d{1,3}(?:[.,'\u00a0]\d{3})*)[.,'\u00a0](?=\d{3}(?!\d))/gu, '')
  return [text, grouped].some((form) =>
    [...form.matchAll(/(?<![\p{L}\p{N}.,])(-?\d+|\p{L}+)(?![\p{L}\p{N}]|[.,]\d)/gu)].some(([, token = '']) => {
      if (/\d/u.test(token)) return Number(token) === value
      return cardinalWords.get(token) === value
    }),
  )
}

/** Whether the message holds anything that could be a whole number. */
export function mayNameInteger(message: string): boolean {
  const text = message.normalize('NFKC').toLowerCase()
  return /\d/u.test(text) || (text.match(/\p{L}+/gu) ?? []).some((word) => cardinalWords.has(word))
}
