import { readAffirmation } from '../affirmation.ts'
import type { DecideStep, Label } from '../agent.ts'
import type { EffectResult } from '../effects.ts'
import { foldPhrase } from '../fold-text.ts'
import { go, type Move, otherAgents, refuseResult, resultOf, type Turn, wordsOf } from '../turn.ts'
import { handoff } from './handoff.ts'

/** A label, and what choosing it does. */
type Choice = Omit<Label, 'next'> & { move: (turn: Turn) => Move }

const unsure = { name: 'unsure', means: 'none of these fits', examples: [] }

/** Picks one label: by code where the words are a label's name, its example or a bare yes or no, else by the model. */
export function decide(turn: Turn, name: string, step: DecideStep): Move {
  const choices = choicesOf(turn, step)
  const message = step.of === null ? turn.message : wordsOf(resultOf(turn, step.of))
  const chosen = chooseByCode(choices, message)
  if (chosen !== null) return chosen.move(turn)
  const labels = choices.map(({ name: label, means, examples }) => ({ name: label, means, examples }))
  if (!labels.some((label) => label.name === unsure.name)) labels.push({ ...unsure })
  const asked = step.of === null ? turn.state.asking : null
  return { kind: 'effect', effect: { kind: 'decide', step: name, message, asked, labels } }
}

/** Goes where the label points; no label, or one that was not offered, is `unsure`. */
export function decided(turn: Turn, step: DecideStep, result: EffectResult): Move {
  if (result.kind !== 'decided') return refuseResult(turn, result.kind)
  const chosen = choicesOf(turn, step).find(({ name }) => name === result.label)
  return chosen === undefined ? go(step.unsure) : chosen.move(turn)
}

function choicesOf(turn: Turn, step: DecideStep): Choice[] {
  const labels = step.anytime ? [...step.labels, ...turn.agent.anytime] : step.labels
  const choices = labels.map(({ next, ...label }): Choice => ({ ...label, move: () => go(next) }))
  if (!step.labelsFromAgents) return choices
  const agents = otherAgents(turn.agents, turn.agent.name).map(
    (agent): Choice => ({
      name: agent.name,
      means: agent.description,
      examples: agent.examples,
      affirmative: false,
      negative: false,
      move: (here) => handoff(here, agent.name),
    }),
  )
  return [...agents, ...choices]
}

function chooseByCode(choices: Choice[], message: string): Choice | null {
  const words = foldPhrase(message)
  if (words === '') return null
  const named = choices.find(({ name }) => name === words || name.replaceAll('-', ' ') === words)
  if (named !== undefined) return named
  const exemplified = choices.filter(({ examples }) => examples.some((example) => foldPhrase(example) === words))
  if (exemplified.length === 1) return exemplified[0] ?? null
  const answer = readAffirmation(message)
  if (answer === null) return null
  return choices.find(({ affirmative, negative }) => (answer === 'yes' ? affirmative : negative)) ?? null
}
