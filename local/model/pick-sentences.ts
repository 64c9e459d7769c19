import { concept, isFunctionWord, wordsOf } from './words.ts'

interface Scored {
  index: number
  score: number
  /** Share of the question's weight that the sentence has. */
  covered: number
}

const saturation = 1.2
const lengthWeight = 0.4
const mostSentences = 3

/**
 * The one to three sentences that answer a question best, by BM25 over the sentences given, as indexes in reading
 * order; none where even the best shares too little with the question.
 */
export function pickSentences(question: string, sentences: readonly string[]): number[] {
  const asked = [...new Set(contentWords(question))]
  if (asked.length === 0 || sentences.length === 0) return []
  const bags = sentences.map(contentWords)
  const average = bags.reduce((sum, bag) => sum + bag.length, 0) / bags.length || 1
  const rarity = (word: string) => {
    const users = bags.filter((bag) => bag.includes(word)).length
    return Math.log(1 + (bags.length - users + 0.5) / (users + 0.5))
  }
  const weights = new Map(asked.map((word) => [word, rarity(word)]))
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0)
  const wanted = wantedKind(question)
  const scored: Scored[] = bags.map((bag, index) => {
    let score = 0
    let shared = 0
    for (const [word, weight] of weights) {
      const times = bag.filter((other) => other === word || sharesStart(other, word)).length
      if (times === 0) continue
      shared += weight
      score +=
        (weight * times * (saturation + 1)) /
        (times + saturation * (1 - lengthWeight + (lengthWeight * bag.length) / average))
    }
    const sentence = sentences[index] ?? ''
    if (score > 0 && wanted?.test(sentence)) score *= 1.25
    // A question does not answer one.
    if (sentence.trimEnd().endsWith('?')) score *= 0.5
    return { index, score, covered: shared / total }
  })
  const ranked = scored.filter((one) => one.score > 0).sort((a, b) => b.score - a.score || a.index - b.index)
  const best = ranked[0]
  if (best === undefined || best.covered < 0.3) return []
  return ranked
    .filter((one) => one.score >= best.score * 0.7 && one.covered >= 0.3)
    .slice(0, mostSentences)
    .map((one) => one.index)
    .sort((a, b) => a - b)
}

/** Cuts a text into sentences and lines. */
export function sentencesOf(text: string): string[] {
  return text
    .split(/\n+|(?<=[.!?])\s+(?=[\p{Lu}\p{N}"'“(])/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '')
}

function contentWords(text: string): string[] {
  return wordsOf(text)
    .filter((word) => !isFunctionWord(word) && !askingWords.has(word))
    .map(concept)
}

const askingWords = new Set(
  'who whom whose when where why how tell know much many long often mean means happen happens explain question about wonder'.split(
    ' ',
  ),
)

function sharesStart(one: string, other: string): boolean {
  return one.length >= 6 && other.length >= 6 && one.slice(0, 6) === other.slice(0, 6)
}

/** What a sentence is likely to hold where the question word says what is asked for. */
function wantedKind(question: string): RegExp | undefined {
  const plain = question.toLowerCase()
  if (/\bhow (?:much|many|long|old|often|far)\b|\bwhen\b|\bwhat time\b/.test(plain)) {
    return /\d|\b(?:one|two|three|four|five|six|ten|twelve|every|daily|weekly|monthly|year|years|month|months|day|days)\b/i
  }
  if (/\bwhy\b/.test(plain)) return /\b(?:because|since|so that|reason|due to|in order to)\b/i
  if (/\bwho\b/.test(plain)) return /\b(?:manager|team|desk|department|owner|person|staff|by|contact)\b/i
  return undefined
}
