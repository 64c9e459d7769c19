import type { SearchStep } from '../agent.ts'
import type { EffectResult, Passage } from '../effects.ts'
import { isJsonObject, type Json } from '../json.ts'
import { go, type Move, refuseResult, resultOf, save, type Walk, wordsOf } from '../walk.ts'

/** Searches the agent's documents. */
export function search(walk: Walk, name: string, step: SearchStep): Move {
  const query = wordsOf(resultOf(walk, step.query)).trim()
  if (query === '') return keep(walk, step, [])
  return { kind: 'effect', effect: { kind: 'search', step: name, query, limit: step.limit } }
}

/** Keeps the passages that were found. */
export function searched(walk: Walk, step: SearchStep, result: EffectResult): Move {
  if (result.kind !== 'passages') return refuseResult(walk, result.kind)
  return keep(walk, step, result.passages.slice(0, step.limit))
}

function keep(walk: Walk, step: SearchStep, passages: Passage[]): Move {
  save(
    walk,
    step.save,
    passages.map(({ title, heading, name, content }) => ({ title, heading, name, content })),
  )
  return go(passages.length === 0 ? step.none : step.next)
}

/** The passages that a saved value holds. */
export function passagesOf(value: Json): Passage[] {
  return (Array.isArray(value) ? value : []).flatMap((member) => {
    if (!isJsonObject(member)) return []
    const { title, heading, name, content } = member
    const complete =
      typeof title === 'string' &&
      typeof heading === 'string' &&
      typeof name === 'string' &&
      typeof content === 'string'
    return complete ? [{ title, heading, name, content }] : []
  })
}
