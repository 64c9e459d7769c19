import type { Agent, Slot } from './agent.ts'
import { foldText } from './fold-text.ts'
import type { Json } from './json.ts'
import { cardinalWords } from './number-words.ts'
import { occurrences, rowsOf } from './rows.ts'

/** Shorter words of these scripts ("for", "of", "mit") join others and say nothing alone. */
const joining = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{N}]{1,3}$/u

/**
 * Whether the words for a free text slot are its own: not only what other slots were filled with or what a choice
 * offers: the name of the thing is no reason for it. Words that are partly another slot's need something beside it that
 * is not how this agent is asked for anyway, as its examples are: neither is "I need" and the name.
 */
export function hasOwnWords(agent: Agent, words: string, taken: string[]): boolean {
  const text = foldText(words)
  const own = wordsOf(leftOf(text, taken.map(foldText)))
  if (own.length === wordsOf(text).length) return own.length > 0
  const asking = new Set([agent.title, agent.description, ...agent.examples].flatMap((one) => wordsOf(foldText(one))))
  return own.some((word) => !joining.test(word) && !asking.has(word))
}

/** How a message may spell what stands in a slot. */
export function spellingsOf(slot: Slot, value: Json): string[] {
  if (value === null) return []
  if (slot.type === 'choice') {
    const names = rowsOf(slot, [value]).flatMap((row) => row.names)
    return [...names, ...names.flatMap(wordsOf)]
  }
  if (slot.type === 'text') return [String(value)]
  const inWords = [...cardinalWords].filter(([, number]) => number === value).map(([word]) => word)
  return [String(value), ...inWords]
}

function leftOf(text: string, taken: string[]): string {
  const characters = text.split('')
  for (const { start, end } of taken.flatMap((name) => occurrences(text, name))) characters.fill(' ', start, end)
  return characters.join('')
}

function wordsOf(text: string): string[] {
  return text.match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
}
