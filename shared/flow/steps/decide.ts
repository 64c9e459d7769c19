import { readAffirmation } from '../affirmation.ts'
import { type Agent, type DecideStep, type Label, router } from '../agent.ts'
import type { EffectResult } from '../effects.ts'
import { foldPhrase } from '../fold-text.ts'
import { go, type Move, otherAgents, refuseResult, resultOf, save, type Walk, wordsOf } from '../walk.ts'
import { handoff } from './handoff.ts'

/** A label, and what choosing it does. */
type Choice = Omit<Label, 'next'> & { move: (walk: Walk) => Move }

const unsure = { name: 'unsure', means: 'none of these fits', examples: [] }

/** Picks one label: by code where the words are a label's name, its example or a bare yes or no, else by the model. */
export function decide(walk: Walk, name: string, step: DecideStep): Move {
  const choices = choicesOf(walk, step)
  const message = step.of === null ? walk.message : wordsOf(resultOf(walk, step.of))
  const chosen = chooseByCode(choices, message)
  if (chosen !== null) return chosen.move(walk)
  const labels = choices.map(({ name: label, means, examples }) => ({ name: label, means, examples }))
  if (!labels.some((label) => label.name === unsure.name)) labels.push({ ...unsure })
  const asked = step.of === null ? walk.state.asking : null
  return { kind: 'effect', effect: { kind: 'decide', step: name, message, asked, labels } }
}

/** Goes where the label points; no label, or one that was not offered, is `unsure`. */
export function decided(walk: Walk, step: DecideStep, result: EffectResult): Move {
  if (result.kind !== 'decided') return refuseResult(walk, result.kind)
  const chosen = choicesOf(walk, step).find(({ name }) => name === result.label)
  return chosen === undefined ? go(step.unsure) : chosen.move(walk)
}

function choicesOf(walk: Walk, step: DecideStep): Choice[] {
  const labels = step.anytime ? [...step.labels, ...walk.agent.anytime] : step.labels
  const choices = labels.map(({ next, ...label }): Choice => ({ ...label, move: () => go(next) }))
  return step.labelsFromAgents ? [...agentChoices(walk, step), ...choices] : choices
}

function agentChoices(walk: Walk, { save: name, next }: DecideStep): Choice[] {
  const agents = otherAgents(walk.agents, walk.agent.name)
  const choice = (agent: Agent, move: Choice['move']): Choice => {
    const { name: label, description: means, examples } = agent
    return { name: label, means, examples, affirmative: false, negative: false, move }
  }
  if (name === null || next === null) return agents.map((agent) => choice(agent, (here) => handoff(here, agent.name)))
  // Kept to be told of, as `agents` is: the router answers nothing itself.
  return agents
    .filter((agent) => agent.name !== router)
    .map((agent) =>
      choice(agent, (here) => {
        save(here, name, { name: agent.name, title: agent.title, description: agent.description })
        return go(next)
      }),
    )
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
