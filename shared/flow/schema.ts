import * as z from 'zod/mini'
import type { Verb } from './agent.ts'
import { durationPattern } from './duration.ts'

// The form of agent.yaml, as its author writes it. What the parts mean together is for the rules in check/.

const kebab = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/
const identifier = /^[a-z][a-z0-9_]*$/

const words = z.string().check(z.minLength(1))
const template = described(words, 'A text in Liquid. In scope: slots, variables, saved values, person, message, today.')
const expression = described(
  z.union([words, z.number(), z.boolean(), z.null()]),
  'An expression in CEL, or a constant.',
)
const target = described(words, 'The name of a step, or $resume: back to the question that the employee answered.')
const name = z.string().check(z.regex(identifier), z.describe('A name that expressions can spell: a-z, 0-9 and _.'))
const duration = z.string().check(z.regex(durationPattern), z.describe('500ms, 15s, 2m, 24h or 7d.'))
const expressions = z.record(z.string(), expression)
const examples = described(z.array(words), 'Sentences that mean it.')
const tool = z.string().check(z.regex(/^[^.\s]+\.[^.\s]+$/), z.describe('server.tool'))

const label = z.strictObject({
  means: described(words, 'What the employee means by it, in a few words.'),
  examples: z.optional(examples),
  affirmative: z.optional(described(z.boolean(), 'A bare yes is this label, by code.')),
  negative: z.optional(described(z.boolean(), 'A bare no is this label, by code.')),
  next: target,
})
const labels = z.record(z.string().check(z.regex(kebab)), label)

const slot = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('text'),
    description: words,
    pattern: z.optional(described(words, 'A regular expression that the whole value fits; repeats have limits.')),
  }),
  z.strictObject({
    type: z.literal('integer'),
    description: words,
    minimum: z.optional(z.int()),
    maximum: z.optional(z.int()),
  }),
  z.strictObject({
    type: z.literal('choice'),
    description: words,
    from: described(words, 'An expression that gives a list. The value is one whole element of it.'),
    match: z.optional(described(z.array(words).check(z.minLength(1)), 'The fields that an employee knows a row by.')),
  }),
])

const next = { next: target }

const choices = described(
  z.union([name, z.array(words).check(z.minLength(1), z.maxLength(20))]),
  'Buttons: one for each row of the choice slot of that name, or one for each of these texts, which a press says.',
)

export const stepSchemas = {
  say: z.strictObject({ say: template, ...next }),
  ask: z.strictObject({
    ask: template,
    again: z.optional(template),
    choices: z.optional(choices),
    'choices-from': z.optional(described(z.literal('agents'), 'Buttons: one for each other agent.')),
    ...next,
  }),
  decide: z.strictObject({
    decide: z.union([z.literal(true), z.strictObject({ of: expression })]),
    labels: z.optional(labels),
    'labels-from': z.optional(z.literal('agents')),
    save: z.optional(described(name, 'Keeps the chosen agent (name, title, description) and goes to `next`.')),
    next: z.optional(target),
    anytime: z.optional(z.boolean()),
    unsure: target,
  }),
  extract: z.strictObject({
    extract: z.array(name).check(z.minLength(1)),
    missing: z.optional(z.record(name, target)),
    none: z.optional(target),
    ...next,
  }),
  compose: z.strictObject({ compose: expression, from: expression, save: name, unanswered: target, ...next }),
  call: z.strictObject({
    call: tool,
    arguments: z.optional(expressions),
    approval: z.optional(words),
    save: z.optional(name),
    timeout: z.optional(duration),
    retries: z.optional(z.int().check(z.gte(0), z.lte(5))),
    failure: target,
    ...next,
  }),
  lookup: z.strictObject({
    lookup: words,
    where: expressions,
    one: z.optional(z.boolean()),
    save: name,
    none: target,
    ...next,
  }),
  search: z.strictObject({
    search: expression,
    limit: z.optional(z.int().check(z.gte(1), z.lte(20))),
    save: name,
    none: target,
    ...next,
  }),
  confirm: z.strictObject({
    confirm: tool,
    arguments: z.optional(expressions),
    ask: template,
    again: z.optional(template),
    expires: z.optional(duration),
    yes: target,
    no: target,
    otherwise: target,
    expired: z.optional(target),
  }),
  approve: z.strictObject({
    approve: described(words, 'The confirm step whose yes leads here: what somebody else has to approve, too.'),
    by: expression,
    ask: template,
    waiting: template,
    expires: z.optional(duration),
    yes: target,
    no: target,
    expired: target,
    nobody: target,
  }),
  set: z.strictObject({ set: z.record(name, expression), ...next }),
  when: z.strictObject({
    when: z.array(z.strictObject({ if: z.optional(expression), next: target })).check(z.minLength(1)),
  }),
  handoff: z.strictObject({ handoff: words }),
  end: z.strictObject({ end: z.literal(true) }),
} as const satisfies Record<Verb, unknown>

const head = {
  name: z.string().check(z.regex(kebab), z.describe('The name of the folder.')),
  title: described(words, 'What employees are shown.'),
  description: described(words, 'What this agent is for: its meaning where the router chooses.'),
  examples: z.optional(examples),
  tools: z.optional(described(z.array(tool), 'The tools that steps may call.')),
  slots: z.optional(z.record(name, slot)),
  variables: z.optional(z.record(name, z.json())),
  anytime: z.optional(described(labels, 'Labels that every decide offers beside its own.')),
  start: target,
}
const stepName = z.string().check(z.regex(kebab))

/** The file without a look into its steps, each of which is read by the schema of its own verb. */
export const agentFileHead = z.strictObject({ ...head, steps: z.record(stepName, z.record(z.string(), z.unknown())) })

/** The whole file: what editors check while it is written. */
export const agentFile = z.strictObject({ ...head, steps: z.record(stepName, z.union(Object.values(stepSchemas))) })

export type AgentFileHead = z.infer<typeof agentFileHead>
export type LabelFile = z.infer<typeof label>
export type SlotFile = z.infer<typeof slot>
export type StepFile = { [V in Verb]: z.infer<(typeof stepSchemas)[V]> & { verb: V } }[Verb]

function described<T extends z.ZodMiniType>(schema: T, text: string): T {
  return schema.check(z.describe(text))
}
