import { findPattern } from './safe-pattern.ts'
import { concept, isFunctionWord, wordsOf } from './words.ts'

export interface Slot {
  name: string
  kind: 'integer' | 'number' | 'text' | 'choice' | 'boolean'
  description: string
  /** What stands in parentheses behind the name: "integer from 1 to 5", "text matching ^[A-Z]+$". */
  note: string
  pattern: string | undefined
  minimum: number | undefined
  maximum: number | undefined
  values: string[]
}

export type SlotValue = string | number | boolean | null

/**
 * Finds each slot's value in a text, by digits and number words, patterns, known values and cue words; null for what
 * the text does not say. `asked` is what the text answers: a short reply to a question about a slot is its value.
 */
export function fillSlots(text: string, asked: string, slots: readonly Slot[]): SlotValue[] {
  const integers = slots.filter((slot) => slot.kind === 'integer' || slot.kind === 'number')
  const numbers = numbersIn(text)
  const taken = new Set<number>()
  return slots.map((slot) => {
    if (slot.kind === 'choice') return likestValue(text, slot)
    if (slot.kind === 'text') return textOf(text, asked, slot, slots)
    if (slot.kind === 'boolean') return yesOrNo(text)
    return nearestNumber(text, asked, slot, integers, numbers, taken)
  })
}

function yesOrNo(text: string): boolean | null {
  if (/\b(?:no|not|false|never|nope)\b/i.test(text)) return false
  return /\b(?:yes|true|sure|ok|okay)\b/i.test(text) ? true : null
}

interface Found {
  value: number
  at: number
}

const numberWords =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'.split(
    ' ',
  )
const tens = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety']
const wordValues = new Map<string, number>([
  ...numberWords.map((word, value): [string, number] => [word, value]),
  ...tens.flatMap((word, ten): [string, number][] => (word === '' ? [] : [[word, ten * 10]])),
  ['a dozen', 12],
  ['dozen', 12],
  ['a couple', 2],
  ['hundred', 100],
])
const numberPattern = new RegExp(
  `(?<![\\p{L}\\p{N}_.,#/:-])(-?\\d{1,3}(?:,\\d{3})+|-?\\d{1,15})(?![\\p{L}\\p{N}_/:-]|[.,]\\d)|(?<![\\p{L}-])(?:(${tens.filter(Boolean).join('|')})[- ](${numberWords.slice(1, 10).join('|')})|(${[...wordValues.keys()].join('|')}))(?![\\p{L}-])`,
  'giu',
)

/** Numbers of a text that stand by themselves: no part of a code, date, time or decimal. */
function numbersIn(text: string): Found[] {
  return [...text.matchAll(numberPattern)].flatMap((match) => {
    const [, digits, ten, unit, word] = match
    const value =
      digits !== undefined
        ? Number(digits.replaceAll(',', ''))
        : ten !== undefined && unit !== undefined
          ? (wordValues.get(ten.toLowerCase()) ?? 0) + (wordValues.get(unit.toLowerCase()) ?? 0)
          : wordValues.get((word ?? '').toLowerCase())
    return value === undefined || !Number.isSafeInteger(value) ? [] : [{ value, at: match.index }]
  })
}

function nearestNumber(
  text: string,
  asked: string,
  slot: Slot,
  all: readonly Slot[],
  numbers: readonly Found[],
  taken: Set<number>,
): number | null {
  const minimum = slot.minimum ?? noted(slot.note, /(?:from|at least|min(?:imum)?) (-?\d+)/)
  const maximum = slot.maximum ?? noted(slot.note, /(?:to|up to|at most|max(?:imum)?) (-?\d+)/)
  let best: { found: Found; distance: number } | undefined
  for (const found of numbers) {
    if (taken.has(found.at)) continue
    if ((minimum !== undefined && found.value < minimum) || (maximum !== undefined && found.value > maximum)) continue
    const distance = distanceToWords(text, found.at, slot)
    if (best === undefined || distance < best.distance) best = { found, distance }
  }
  if (best === undefined) return null
  // With nothing of its description near, a number belongs to a slot only where there is just one of each.
  const alone = all.length === 1 && (numbers.length === 1 || distanceToAsked(asked, slot))
  if (best.distance > 40 && !alone) return null
  taken.add(best.found.at)
  return best.found.value
}

function noted(note: string, pattern: RegExp): number | undefined {
  const value = pattern.exec(note)?.[1]
  return value === undefined ? undefined : Number(value)
}

/** Characters from a place to the nearest word that the slot's name or description has too; Infinity without one. */
function distanceToWords(text: string, at: number, slot: Slot): number {
  const wanted = describing(slot)
  let nearest = Number.POSITIVE_INFINITY
  for (const match of text.matchAll(/[\p{L}\p{M}]+/gu)) {
    if (!wanted.has(concept(match[0].toLowerCase()))) continue
    // "3 nights": the word behind a number names it more often than the one before.
    const distance = match.index >= at ? match.index - at : (at - match.index) * 1.5
    nearest = Math.min(nearest, distance)
  }
  return nearest
}

function describing(slot: Slot): Set<string> {
  const words = wordsOf(`${slot.name.replace(/[-_]/g, ' ')} ${slot.description}`)
  return new Set(words.filter((word) => !isFunctionWord(word) && !plainWords.has(word)).map(concept))
}

const plainWords = new Set(
  'number amount count value text integer how many much name why when who where what'.split(' '),
)

/** True where the question asked is about the slot: they share a telling word, or both ask for a reason. */
function distanceToAsked(asked: string, slot: Slot): boolean {
  if (asked.trim() === '') return false
  const wanted = describing(slot)
  const question =
    asked
      .split(/(?<=[.!:])\s+|\n/)
      .filter((part) => part.includes('?'))
      .at(-1) ?? asked
  const words = wordsOf(question)
  if (words.some((word) => !isFunctionWord(word) && wanted.has(concept(word)))) return true
  return isReason(slot) && /\b(?:why|reason|what for|explain)\b/i.test(question)
}

function isReason(slot: Slot): boolean {
  return /\b(?:why|reason|justif\w*|purpose|because|motivation|grounds)\b/i.test(
    `${slot.name.replace(/[-_]/g, ' ')} ${slot.description}`,
  )
}

const ordinals = 'first second third fourth fifth sixth seventh eighth ninth tenth'.split(' ')

function likestValue(text: string, slot: Slot): string | null {
  const plain = ` ${fold(text)} `
  const standing = slot.values.filter((value) => fold(value) !== '' && plain.includes(` ${fold(value)} `))
  if (standing.length > 0) {
    const longest = standing.reduce((best, value) => (value.length > best.length ? value : best))
    // A name inside a longer one that is said too is no second choice.
    if (standing.every((value) => value === longest || fold(longest).includes(fold(value)))) return longest
    return null
  }
  const place = placeOf(plain, slot.values.length)
  if (place !== undefined) return slot.values[place] ?? null
  const said = new Set(
    wordsOf(text)
      .filter((word) => !isFunctionWord(word))
      .map(concept),
  )
  const users = new Map<string, number>()
  const bags = slot.values.map((value) => new Set(wordsOf(value).map(concept)))
  for (const bag of bags) for (const word of bag) users.set(word, (users.get(word) ?? 0) + 1)
  // What a value has and no other has tells it apart; what all have tells nothing.
  const scores = bags.map((bag) => {
    let shared = 0
    for (const word of bag) if (said.has(word)) shared += 1 / (users.get(word) ?? 1)
    return shared
  })
  const best = Math.max(...scores)
  if (best < 0.5) return null
  const winners = slot.values.filter((_, index) => scores[index] === best)
  return winners.length === 1 ? (winners[0] ?? null) : null
}

function fold(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

function placeOf(plain: string, count: number): number | undefined {
  if (/ last (?:one|option|choice)? ?/.test(plain)) return count - 1
  const ordinal = ordinals.findIndex((word) => plain.includes(` ${word} `))
  const digit =
    /^ (?:(?:i|would|like|take|will|want|please|option|number|choice|the|no|nr) )*(\d{1,3}) (?:please |thanks )*$/.exec(
      plain,
    )
  const word =
    /^ (?:(?:i|would|like|take|will|want|please|option|number|choice|the) )*([a-z]+) (?:please |thanks )*$/.exec(plain)
  const spoken = word?.[1] === undefined ? undefined : wordValues.get(word[1])
  const place = ordinal >= 0 ? ordinal + 1 : digit?.[1] === undefined ? spoken : Number(digit[1])
  return place !== undefined && place >= 1 && place <= count ? place - 1 : undefined
}

const cues: { cue: RegExp; reason: boolean }[] = [
  { cue: /\b(?:because(?: of)?|since|as|due to|so that|so (?:i|we) can|in order to)\s+/i, reason: true },
  { cue: /\b(?:the )?(?:reason|purpose|justification)(?: is| being)?(?: that)?\s*[:,]?\s+/i, reason: true },
  { cue: /(?:^|\s)(?:for|to)\s+/i, reason: true },
]

function textOf(text: string, asked: string, slot: Slot, all: readonly Slot[]): string | null {
  const pattern = slot.pattern ?? /\bmatching (\S.*)$/.exec(slot.note)?.[1]
  if (pattern !== undefined) return findPattern(pattern, text)
  const named = afterName(text, slot)
  if (named !== null) return named
  if (isReason(slot)) {
    for (const { cue } of cues) {
      const span = spanAfter(text, cue)
      if (span !== null) return span
    }
  }
  const reply = text.trim()
  const texts = all.filter((other) => other.kind === 'text' && other.pattern === undefined)
  const about = texts.filter((other) => distanceToAsked(asked, other))
  if (about.length === 1 && about[0] === slot && reply !== '' && !reply.endsWith('?')) return reply.slice(0, 500)
  return null
}

/** The words behind "name is …" or "name: …", to the end of the clause. */
function afterName(text: string, slot: Slot): string | null {
  const words = [...describing(slot)].filter((word) => word.length >= 3)
  for (const match of text.matchAll(/([\p{L}\p{M}]+)\s*(?:\bis\b|\bare\b|\bwill be\b|:|=)\s+/giu)) {
    if (!words.includes(concept((match[1] ?? '').toLowerCase()))) continue
    return clause(text.slice(match.index + match[0].length))
  }
  return null
}

function spanAfter(text: string, cue: RegExp): string | null {
  const match = cue.exec(text)
  if (match === null) return null
  const span = clause(text.slice(match.index + match[0].length))
  return span === null || wordsOf(span).every(isFunctionWord) ? null : span
}

/** A text up to the end of its sentence, verbatim. */
function clause(text: string): string | null {
  const end = /[.!?;](?:\s|$)|\n/.exec(text)
  const span = (end === null ? text : text.slice(0, end.index)).trim().slice(0, 500)
  return span === '' ? null : span
}
