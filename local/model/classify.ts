import { type Act, actsClash, actsOf, actsOfLabel, takesAnyQuestion } from './speech-acts.ts'
import { concept, isFunctionWord, isQuestionWord, wordsOf } from './words.ts'

export interface Candidate {
  name: string
  description: string
  examples: string[]
}

export interface Choice {
  index: number
  /** 0 to about 1.5: how well the chosen candidate fits. */
  score: number
}

/** Weights, set on the `tuned` sets of classify.cases.ts. */
const weights = {
  example: 0.9,
  description: 0.55,
  name: 0.12,
  act: 0.42,
  letters: 0.3,
  unknownWord: 0.4,
  functionWord: 0.12,
  questionWord: 0.5,
  unlisted: 0.25,
  anyQuestion: 0.7,
  unasked: 0.85,
  least: 0.2,
}

const noneName =
  /^(?:unsure|unclear|unknown|none|other|neither|nothing|not[-_ ]?sure|none[-_ ]of[-_ ].*|no[-_ ]match|fallback)$/i
const noneMeans =
  /\b(?:none of|nothing (?:else |here )*fits|none (?:here )?fits|no (?:other )?(?:label|option|value|choice) fits|(?:does|do) not fit|fits nothing|none of the|neither fits|cannot tell|not clear which)\b/i

/** The candidate that stands for "none of these": by its description, else by its name alone. */
export function noneOf(candidates: readonly Candidate[]): number {
  const described = candidates.findIndex((candidate) => noneMeans.test(candidate.description))
  if (described >= 0) return described
  return candidates.findIndex((candidate) => noneName.test(candidate.name) && candidate.examples.length === 0)
}

/**
 * Picks the candidate whose name, description and examples are most like the text, or the "none of these" candidate
 * where nothing is like it enough. The same input always gives the same choice; a tie goes to the first.
 */
export function classify(text: string, candidates: readonly Candidate[]): Choice {
  const none = noneOf(candidates)
  const rarity = rarityOf(candidates)
  const said = bagOf(text, rarity)
  const saidActs = actsOf(text)
  let best: Choice = { index: Math.max(none, 0), score: 0 }
  let top = -Infinity
  for (const [index, candidate] of candidates.entries()) {
    if (index === none) continue
    const score = fitness(said, saidActs, candidate, rarity)
    if (score > top) {
      top = score
      best = { index, score }
    }
  }
  return none >= 0 && top < weights.least ? { index: none, score: Math.max(0, top) } : best
}

const plainActs: Act[] = ['agree', 'refuse', 'greet', 'part', 'back', 'again', 'wish', 'complain', 'doubt']

/** True for a label that stands for a name outside a list. */
function takesUnlisted(description: string): boolean {
  return /\b(?:not (?:on|in|among) (?:the|any|our)|(?:is )?not listed|no \w+ on the list|unlisted|unknown)\b/i.test(
    description,
  )
}

interface Bag {
  /** A proper name is in it that no candidate has. */
  unheard: boolean
  words: Map<string, number>
  pairs: Map<string, number>
  letters: Map<string, number>
}

function fitness(
  said: Bag,
  saidActs: ReturnType<typeof actsOf>,
  candidate: Candidate,
  rarity: Map<string, number>,
): number {
  const likes = candidate.examples.map((example) => likeness(said, bagOf(example, rarity))).sort((a, b) => b - a)
  const example = (likes[0] ?? 0) + 0.15 * (likes[1] ?? 0)
  const described = bagOf(candidate.description, rarity)
  const description = Math.max(likeness(said, described), covered(said.words, described.words) * 0.9)
  const name = covered(bagOf(candidate.name.replace(/[-_.]/g, ' '), rarity).words, said.words)
  const topic = weights.example * example + weights.description * description + weights.name * name
  const acts = actsOfLabel(candidate.description, candidate.examples)
  const clash = actsClash(saidActs, acts)
  // A question without a word in common is one for a label that takes any question, not for one on another subject.
  const asks = takesAnyQuestion(candidate.name, candidate.description) ? weights.anyQuestion : Math.min(0.6, topic)
  let act = saidActs.question * acts.question * asks
  for (const one of plainActs) act += saidActs[one] * acts[one]
  // Who asks seldom means a label that nobody would ask for, and who tells something seldom means one that is asked.
  const asksAlike = saidActs.question === 1 ? acts.question > 0 : saidActs.question > 0 || acts.question < 1
  const unasked = asksAlike ? 1 : weights.unasked
  const named = said.unheard && takesUnlisted(candidate.description) ? weights.unlisted : 0
  return topic * unasked * (1 - 0.6 * clash) + weights.act * (Math.min(1, act) - clash) + named
}

function likeness(one: Bag, other: Bag): number {
  const words =
    0.6 * cosine(one.words, other.words) + 0.2 * cosine(one.pairs, other.pairs) + 0.2 * covered(other.words, one.words)
  return (1 - weights.letters) * words + weights.letters * Math.max(0, cosine(one.letters, other.letters) - 0.15)
}

function bagOf(text: string, rarity: Map<string, number>): Bag {
  const words = wordsOf(text)
  const bag: Bag = { words: new Map(), pairs: new Map(), letters: new Map(), unheard: namesUnheard(text, rarity) }
  let before = ''
  for (const word of words) {
    const key = isFunctionWord(word) ? word : nearest(concept(word), rarity)
    const weight = isFunctionWord(word)
      ? weights.functionWord
      : isQuestionWord(word)
        ? weights.questionWord
        : (rarity.get(key) ?? weights.unknownWord)
    bag.words.set(key, Math.max(bag.words.get(key) ?? 0, weight))
    if (before !== '') bag.pairs.set(`${before} ${key}`, 1)
    before = key
    if (isFunctionWord(word)) continue
    const padded = ` ${word} `
    for (let at = 0; at + 3 <= padded.length; at += 1) {
      const gram = padded.slice(at, at + 3)
      bag.letters.set(gram, (bag.letters.get(gram) ?? 0) + 1)
    }
  }
  return bag
}

/** The candidates' word that a word is a slip of the pen away from; itself where there is none. */
function nearest(word: string, known: Map<string, number>): string {
  if (known.has(word) || word.length < 4) return word
  const slips = word.length >= 7 ? 2 : 1
  for (const other of known.keys()) {
    if (other.length >= 4 && other[0] === word[0] && slipsBetween(word, other, slips) <= slips) return other
  }
  return word
}

/** Letters added, dropped, changed or swapped with their neighbour between two words; more than `most` is most + 1. */
function slipsBetween(one: string, other: string, most: number): number {
  if (Math.abs(one.length - other.length) > most) return most + 1
  let beforeLast: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= other.length; j += 1) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same)
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1)
      }
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return last[other.length] ?? most + 1
}

function namesUnheard(text: string, known: Map<string, number>): boolean {
  const names = text.match(/(?<=[\p{L}\p{N},] )\p{Lu}[\p{L}\p{N}]+/gu) ?? []
  return names.some((name) => wordsOf(name).every((word) => !known.has(concept(word)) && !isFunctionWord(word)))
}

/** How telling each word is among these candidates: 1 where one of them uses it, less where more do. */
function rarityOf(candidates: readonly Candidate[]): Map<string, number> {
  const users = new Map<string, number>()
  for (const candidate of candidates) {
    const words = wordsOf(
      [candidate.name.replace(/[-_.]/g, ' '), candidate.description, ...candidate.examples].join(' '),
    )
    for (const key of new Set(words.map(concept))) users.set(key, (users.get(key) ?? 0) + 1)
  }
  const rarest = Math.log(1 + candidates.length)
  return new Map([...users].map(([key, count]) => [key, Math.log(1 + candidates.length / count) / rarest]))
}

function cosine(one: Map<string, number>, other: Map<string, number>): number {
  let dot = 0
  for (const [key, weight] of one) dot += weight * (other.get(key) ?? 0)
  return dot === 0 ? 0 : dot / (norm(one) * norm(other))
}

function norm(vector: Map<string, number>): number {
  let sum = 0
  for (const weight of vector.values()) sum += weight * weight
  return Math.sqrt(sum)
}

/** What share of the first vector's weight stands in the second one. */
function covered(part: Map<string, number>, whole: Map<string, number>): number {
  let shared = 0
  let total = 0
  for (const [key, weight] of part) {
    total += weight
    if (whole.has(key)) shared += weight
  }
  return total === 0 ? 0 : shared / total
}
