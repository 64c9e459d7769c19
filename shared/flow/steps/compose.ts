import type { ComposeStep } from '../agent.ts'
import type { EffectResult, Passage } from '../effects.ts'
import { cutSentences } from '../sentences.ts'
import { go, type Move, refuseResult, resultOf, save, type Walk, wordsOf } from '../walk.ts'
import { passagesOf } from './search.ts'

interface Sentence {
  number: number
  text: string
  passage: Passage
}

/** Offers the passages' sentences by number. The model names those that answer and writes none of its own. */
export function compose(walk: Walk, name: string, step: ComposeStep): Move {
  const sentences = sentencesOf(walk, step)
  if (sentences.length === 0) return unanswered(walk, step)
  return {
    kind: 'effect',
    effect: {
      kind: 'compose',
      step: name,
      question: wordsOf(resultOf(walk, step.question)),
      sentences: sentences.map(({ number, text }) => ({ number, text })),
    },
  }
}

/** Writes the answer from the sentences that were named, in the documents' order, each section with its citation. */
export function composed(walk: Walk, step: ComposeStep, result: EffectResult): Move {
  if (result.kind !== 'composed') return refuseResult(walk, result.kind)
  const named = new Set(result.sentences ?? [])
  const chosen = sentencesOf(walk, step).filter(({ number }) => named.has(number))
  if (chosen.length === 0) return unanswered(walk, step)
  const sections = Map.groupBy(chosen, ({ passage }) => JSON.stringify([passage.name, passage.title, passage.heading]))
  const citations: { number: number; title: string; heading: string }[] = []
  const texts: string[] = []
  for (const [first, ...more] of sections.values()) {
    if (first === undefined) continue
    const number = citations.length + 1
    citations.push({ number, title: first.passage.title, heading: first.passage.heading })
    texts.push(`${[first, ...more].map(({ text }) => text).join(' ')} [${number}]`)
  }
  save(walk, step.save, { text: texts.join(' '), citations })
  return go(step.next)
}

function unanswered(walk: Walk, step: ComposeStep): Move {
  save(walk, step.save, null)
  return go(step.unanswered)
}

function sentencesOf(walk: Walk, step: ComposeStep): Sentence[] {
  return passagesOf(resultOf(walk, step.from))
    .flatMap((passage) => cutSentences(passage.content).map((text) => ({ text, passage })))
    .map((sentence, index) => ({ number: index + 1, ...sentence }))
}
