import type { Agent, Choices, Expression, Label, Slot, Step } from './agent.ts'
import { readDuration } from './duration.ts'
import type { Json } from './json.ts'
import type { AgentFileHead, LabelFile, SlotFile, StepFile } from './schema.ts'

const timeoutMs = 15_000
const expiresMs = 86_400_000
const decisionMs = 7 * 86_400_000
const readRetries = 2
const passages = 4

/** The agent that a file describes, with every default written out. The file has passed its schema. */
export function buildAgent(file: AgentFileHead, steps: Map<string, StepFile>): Agent {
  return {
    name: file.name,
    title: file.title,
    description: file.description,
    examples: file.examples ?? [],
    tools: file.tools ?? [],
    slots: mapValues(file.slots ?? {}, buildSlot),
    variables: mapValues(file.variables ?? {}, (value): Json => value),
    anytime: buildLabels(file.anytime),
    start: file.start,
    steps: Object.fromEntries([...steps].map(([name, step]) => [name, buildStep(step, steps)])),
  }
}

function buildSlot(slot: SlotFile): Slot {
  const { description } = slot
  switch (slot.type) {
    case 'text':
      return { type: 'text', description, pattern: slot.pattern ?? null }
    case 'integer':
      return { type: 'integer', description, minimum: slot.minimum ?? null, maximum: slot.maximum ?? null }
    case 'choice':
      return { type: 'choice', description, from: slot.from, match: slot.match ?? [] }
  }
}

function buildLabels(labels: Record<string, LabelFile> | undefined): Label[] {
  return Object.entries(labels ?? {}).map(([name, { means, examples, affirmative, negative, next }]) => ({
    name,
    means,
    examples: examples ?? [],
    affirmative: affirmative ?? false,
    negative: negative ?? false,
    next,
  }))
}

function choicesOf(step: Extract<StepFile, { verb: 'ask' }>): Choices | null {
  if (step['choices-from'] === 'agents') return { kind: 'agents' }
  if (step.choices === undefined) return null
  return typeof step.choices === 'string'
    ? { kind: 'slot', slot: step.choices }
    : { kind: 'texts', texts: step.choices }
}

function buildStep(step: StepFile, steps: Map<string, StepFile>): Step {
  switch (step.verb) {
    case 'say':
      return step
    case 'ask':
      return { verb: 'ask', ask: step.ask, again: step.again ?? null, choices: choicesOf(step), next: step.next }
    case 'decide':
      return {
        verb: 'decide',
        of: step.decide === true ? null : expressionOf(step.decide.of),
        labels: buildLabels(step.labels),
        labelsFromAgents: step['labels-from'] === 'agents',
        save: step.save ?? null,
        next: step.next ?? null,
        anytime: step.anytime ?? true,
        unsure: step.unsure,
      }
    case 'extract':
      return {
        verb: 'extract',
        slots: step.extract,
        missing: step.missing ?? {},
        none: step.none ?? null,
        next: step.next,
      }
    case 'compose': {
      const { verb, save, unanswered, next } = step
      return { verb, question: expressionOf(step.compose), from: expressionOf(step.from), save, unanswered, next }
    }
    case 'call': {
      const { verb, call: tool, failure, next } = step
      return {
        verb,
        tool,
        arguments: mapValues(step.arguments ?? {}, expressionOf),
        approval: step.approval ?? null,
        save: step.save ?? null,
        timeoutMs: step.timeout === undefined ? timeoutMs : readDuration(step.timeout),
        // A write is tried again only by redelivery, under the same key.
        retries: step.retries ?? (step.approval === undefined ? readRetries : 0),
        failure,
        next,
      }
    }
    case 'lookup': {
      const { verb, lookup: table, save, none, next } = step
      return { verb, table, where: mapValues(step.where, expressionOf), one: step.one ?? false, save, none, next }
    }
    case 'search': {
      const { verb, save, none, next } = step
      return { verb, query: expressionOf(step.search), limit: step.limit ?? passages, save, none, next }
    }
    case 'confirm': {
      const { verb, confirm: tool, ask, yes, no, otherwise } = step
      return {
        verb,
        tool,
        arguments: mapValues(step.arguments ?? {}, expressionOf),
        ask,
        again: step.again ?? null,
        expiresMs: step.expires === undefined ? expiresMs : readDuration(step.expires),
        yes,
        no,
        otherwise,
        expired: step.expired ?? null,
      }
    }
    case 'approve': {
      const { verb, approve: confirm, ask, waiting, yes, no, expired, nobody } = step
      const confirmed = steps.get(confirm)
      return {
        verb,
        confirm,
        // A rule says so where it names no confirm step.
        tool: confirmed?.verb === 'confirm' ? confirmed.confirm : '',
        by: expressionOf(step.by),
        ask,
        waiting,
        expiresMs: step.expires === undefined ? decisionMs : readDuration(step.expires),
        yes,
        no,
        expired,
        nobody,
      }
    }
    case 'set':
      return { verb: 'set', set: mapValues(step.set, expressionOf), next: step.next }
    case 'when':
      return {
        verb: 'when',
        cases: step.when.flatMap(({ if: condition, next }) =>
          condition === undefined ? [] : [{ if: expressionOf(condition), next }],
        ),
        otherwise: step.when.at(-1)?.next ?? '',
      }
    case 'handoff':
      return { verb: 'handoff', agent: step.handoff }
    case 'end':
      return { verb: 'end' }
  }
}

/** A constant is its own expression: JSON's are CEL's. */
function expressionOf(value: string | number | boolean | null): Expression {
  return typeof value === 'string' ? value : String(value)
}

function mapValues<From, To>(record: Record<string, From>, to: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, to(value)]))
}
