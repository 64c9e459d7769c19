import { affirmationWords } from './affirmation-words.ts'
import { foldText } from './fold-text.ts'

type Sense = 'yes' | 'no' | 'negation' | 'filler'

const mostWords = 8
const { senses, longest } = index()

/**
 * Whether the whole message is a clear yes or a clear no in any language of the lists: every word of it is a yes (a no)
 * or a filler, at least one is a yes (a no), and there is no digit, no question, no quotation and nothing unknown. Null
 * is anything else, which leaves an approval open. No model is asked: a yes is never inferred.
 */
export function readAffirmation(message: string): 'yes' | 'no' | null {
  const words = wordsOf(message)
  if (words.length === 0 || words.length > mostWords) return null
  const found = new Set<Sense>()
  for (let at = 0; at < words.length; ) {
    const phrase = phraseAt(words, at)
    if (phrase === null) return null
    found.add(phrase.sense)
    at += phrase.length
  }
  if (found.has('negation') || (found.has('yes') && found.has('no'))) return null
  return found.has('yes') ? 'yes' : found.has('no') ? 'no' : null
}

/** The message's words. Signs that could turn a meaning round (a question, a quotation) stay part of a word: unknown. */
function wordsOf(message: string): string[] {
  const text = foldText(message)
    .replace(/[\u{1F3FB}-\u{1F3FF}\uFE0F]/gu, '') // skin tone and emoji style change no meaning
    .replace(/(👍|👎)/gu, ' $1 ')
    .replace(/(?<=\p{L})'(?=\p{L})/gu, '')
    .replace(/[\s.,!;:…¡-]+/gu, ' ')
    .trim()
  return text === '' ? [] : text.split(' ')
}

/** The longest known phrase that begins at this word, so that "do not do it" is read before "do it". */
function phraseAt(words: string[], at: number): { sense: Sense; length: number } | null {
  for (let length = Math.min(longest, words.length - at); length > 0; length--) {
    const sense = senses.get(words.slice(at, at + length).join(' '))
    if (sense !== undefined) return { sense, length }
  }
  return null
}

function index(): { senses: Map<string, Sense>; longest: number } {
  const senses = new Map<string, Sense>()
  let longest = 1
  // A word that says no in one language and something milder in another stays a no, so the order matters.
  for (const sense of ['filler', 'yes', 'negation', 'no'] as const) {
    for (const words of Object.values(affirmationWords)) {
      for (const word of words[sense]) {
        senses.set(foldText(word), sense)
        longest = Math.max(longest, word.split(' ').length)
      }
    }
  }
  return { senses, longest }
}
