import { type Choices, router } from './agent.ts'
import { plainText } from './plain-text.ts'
import { rowsOf } from './rows.ts'
import { otherAgents, resultOf, type Walk } from './walk.ts'

/**
 * What an employee can answer a question with by one press, where the channel has buttons. `approval`: a yes or no to
 * the approval of this id; a press names it, so that it answers no other question.
 */
export type Offer = { kind: 'choices'; choices: Choice[] } | { kind: 'approval'; id: string; expiresAt: string }

/** One of them: what stands on the button, and the words that a press says. */
export interface Choice {
  title: string
  reply: string
}

/** The choices of a question as they are now; null where it has none. */
export function offerOf(walk: Walk, choices: Choices | null): Offer | null {
  if (choices === null) return null
  const titles = titlesOf(walk, choices)
  return titles.length === 0 ? null : { kind: 'choices', choices: titles.map((title) => ({ title, reply: title })) }
}

function titlesOf(walk: Walk, choices: Choices): string[] {
  if (choices.kind === 'texts') return choices.texts
  if (choices.kind === 'agents') return otherAgents(walk.agents, router).map(({ title }) => title)
  return namesOfRows(walk, choices.slot)
}

/** The names under which the rows of a slot are offered. Where an employee's own pick would not be clear, there are none. */
function namesOfRows(walk: Walk, name: string): string[] {
  const slot = walk.agent.slots[name]
  if (slot?.type !== 'choice') return []
  const titles = rowsOf(slot, resultOf(walk, slot.from)).map(({ display }) => display)
  const arePlain = titles.every((title) => title !== '' && plainText(title) === title)
  return arePlain && new Set(titles).size === titles.length ? titles : []
}
