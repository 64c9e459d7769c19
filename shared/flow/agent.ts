import type { Json } from './json.ts'

/**
 * An agent as the engine runs it: plain JSON, so that it can be compiled once and shipped without YAML. `schema.ts`
 * describes the file it is written in, `read-agent.ts` turns one into the other.
 */
export interface Agent {
  name: string
  /** What employees are shown. */
  title: string
  /** The meaning of this agent where it is a label of the router's choice, and sentences that mean it. */
  description: string
  examples: string[]
  /** Tools that steps of this agent may call, as `server.tool`. */
  tools: string[]
  slots: Record<string, Slot>
  /** Initial values. */
  variables: Record<string, Json>
  /** Labels that every `decide` offers beside its own. */
  anytime: Label[]
  start: string
  steps: Record<string, Step>
}

/** The agents of one folder, loaded and checked. */
export interface Agents {
  byName: ReadonlyMap<string, Agent>
  /** SHA-256 (hex) of the agent's file; throws Fault `flow.step-unknown` for an agent that is not here. */
  version(name: string): string
}

export type Slot =
  | { type: 'text'; description: string; pattern: string | null }
  | { type: 'integer'; description: string; minimum: number | null; maximum: number | null }
  /** `from` is an expression that gives a list; the slot's value is one whole element of it. */
  | { type: 'choice'; description: string; from: string; match: string[] }

export interface Label {
  name: string
  means: string
  examples: string[]
  /** A bare yes (no) is this label, by code. */
  affirmative: boolean
  negative: boolean
  next: Target
}

/** The name of a step, or `$resume`: back to the question that the employee's message answered. */
export type Target = string
export const resume = '$resume'

/** The agent that every conversation starts with. */
export const router = 'router'

/** Source text in CEL. */
export type Expression = string
/** Source text in Liquid. */
export type TemplateText = string

export type Step =
  | SayStep
  | AskStep
  | DecideStep
  | ExtractStep
  | ComposeStep
  | CallStep
  | LookupStep
  | SearchStep
  | ConfirmStep
  | ApproveStep
  | SetStep
  | WhenStep
  | HandoffStep
  | EndStep

export type Verb = Step['verb']

export interface SayStep {
  verb: 'say'
  say: TemplateText
  next: Target
}
export interface AskStep {
  verb: 'ask'
  ask: TemplateText
  again: TemplateText | null
  choices: Choices | null
  next: Target
}
/** What a question can be answered with by one press: each row of a choice slot, each other agent's title, or texts. */
export type Choices = { kind: 'slot'; slot: string } | { kind: 'agents' } | { kind: 'texts'; texts: string[] }
export interface DecideStep {
  verb: 'decide'
  /** What is decided on; null: the employee's message. */
  of: Expression | null
  labels: Label[]
  /** One more label for every other agent; choosing it hands the conversation over, unless `save` and `next` are given. */
  labelsFromAgents: boolean
  /** Under which name, and on to where, the chosen agent is kept instead; both or neither, and then without the router. */
  save: string | null
  next: Target | null
  anytime: boolean
  unsure: Target
}
export interface ExtractStep {
  verb: 'extract'
  slots: string[]
  /** Where to go for a slot that is still empty; one that is not named here may stay empty. */
  missing: Record<string, Target>
  /** Where to go when the message filled nothing. */
  none: Target | null
  next: Target
}
export interface ComposeStep {
  verb: 'compose'
  question: Expression
  from: Expression
  save: string
  unanswered: Target
  next: Target
}
export interface CallStep {
  verb: 'call'
  tool: string
  arguments: Record<string, Expression>
  /** The `confirm` or `approve` step whose yes this write uses; its arguments are the approved ones. */
  approval: string | null
  save: string | null
  timeoutMs: number
  retries: number
  failure: Target
  next: Target
}
export interface LookupStep {
  verb: 'lookup'
  table: string
  where: Record<string, Expression>
  one: boolean
  save: string
  none: Target
  next: Target
}
export interface SearchStep {
  verb: 'search'
  query: Expression
  limit: number
  save: string
  none: Target
  next: Target
}
export interface ConfirmStep {
  verb: 'confirm'
  tool: string
  arguments: Record<string, Expression>
  ask: TemplateText
  again: TemplateText | null
  expiresMs: number
  yes: Target
  no: Target
  otherwise: Target
  /** null: it says that the question expired, and asks anew with a new approval. */
  expired: Target | null
}
/** Asks somebody else, on top of the employee's own yes, and ends the turn; their decision goes on from here. */
export interface ApproveStep {
  verb: 'approve'
  /** The `confirm` step whose yes leads here: its tool and arguments are what is approved. */
  confirm: string
  tool: string
  /** Gives the e-mail address of the one who decides. */
  by: Expression
  /** What that person reads. */
  ask: TemplateText
  /** What the employee reads meanwhile. */
  waiting: TemplateText
  expiresMs: number
  yes: Target
  no: Target
  expired: Target
  /** There is nobody to ask, or only the employee. */
  nobody: Target
}
export interface SetStep {
  verb: 'set'
  set: Record<string, Expression>
  next: Target
}
export interface WhenStep {
  verb: 'when'
  cases: { if: Expression; next: Target }[]
  otherwise: Target
}
interface HandoffStep {
  verb: 'handoff'
  agent: string
}
interface EndStep {
  verb: 'end'
}
