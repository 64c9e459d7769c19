import { Fault } from '../errors/fault.ts'
import { type Agent, type Agents, type Expression, router, type Step, type Target, type TemplateText } from './agent.ts'
import type { ApprovalChange, Effect } from './effects.ts'
import { evaluate } from './expression.ts'
import { isJsonObject, type Json } from './json.ts'
import { namesInScope } from './names.ts'
import type { Offer } from './offer.ts'
import type { FlowState, Scope } from './state.ts'
import { render } from './template.ts'

/** What the steps of one `advance` work on. `state` is a copy of the caller's, so a step may write to it. */
export interface Walk {
  readonly agents: Agents
  readonly agent: Agent
  readonly state: FlowState
  readonly scope: Scope
  /** The employee's words, trimmed. */
  readonly message: string
  readonly said: string[]
  readonly approvals: ApprovalChange[]
}

/** What a step says comes next. */
export type Move =
  | { kind: 'go'; to: Target }
  | { kind: 'effect'; effect: Effect }
  | { kind: 'handoff'; agent: string }
  | { kind: 'wait'; offer: Offer | null }
  | { kind: 'end' }

export function go(to: Target): Move {
  return { kind: 'go', to }
}

/** The agent of that name; throws Fault `flow.step-unknown`. */
export function agentOf(agents: Agents, name: string): Agent {
  const agent = agents.byName.get(name)
  if (agent === undefined) throw new Fault('flow.step-unknown', `there is no agent ${name}`)
  return agent
}

/** The step of that name; throws Fault `flow.step-unknown`. */
export function stepOf(agent: Agent, name: string): Step {
  const step = Object.hasOwn(agent.steps, name) ? agent.steps[name] : undefined
  if (step === undefined) throw new Fault('flow.step-unknown', `agent ${agent.name} has no step ${name}`)
  return step
}

/** The value of every name in scope; null for what is not known yet. */
function valuesOf(walk: Walk): Record<string, Json> {
  const { agent, agents, scope, state } = walk
  const values: Record<string, Json> = {}
  for (const name of namesInScope(agent)) {
    const kept = Object.hasOwn(agent.slots, name) ? state.slots : state.variables
    values[name] = Object.hasOwn(kept, name) ? (kept[name] ?? null) : null
  }
  values['person'] = { email: scope.person.email }
  values['message'] = walk.message
  values['today'] = scope.now.toISOString().slice(0, 10)
  values['agents'] = otherAgents(agents, router).map(({ name, title, description }) => ({ name, title, description }))
  return values
}

export function otherAgents(agents: Agents, but: string): Agent[] {
  return [...agents.byName.values()].filter(({ name }) => name !== but)
}

export function resultOf(walk: Walk, expression: Expression): Json {
  return evaluate(walk.agent, expression, valuesOf(walk))
}

export function argumentsOf(walk: Walk, expressions: Record<string, Expression>): Record<string, Json> {
  const values = valuesOf(walk)
  return Object.fromEntries(
    Object.entries(expressions).map(([name, expression]) => [name, evaluate(walk.agent, expression, values)]),
  )
}

export function textOf(walk: Walk, template: TemplateText): string {
  return render(walk.agent, template, valuesOf(walk))
}

/** Tells the employee something; an empty text is nothing. */
export function tell(walk: Walk, text: string): void {
  if (text !== '') walk.said.push(text)
}

export function save(walk: Walk, name: string | null, value: Json): void {
  if (name !== null) walk.state.variables[name] = value
}

/** A text of something that an expression gave: what a model or a search is asked with. */
export function wordsOf(value: Json): string {
  if (value === null) return ''
  if (Array.isArray(value) || isJsonObject(value)) return JSON.stringify(value)
  return String(value)
}

/** Throws Fault `flow.step-unknown`: the result is not of the kind that the step at which the flow stands waits for. */
export function refuseResult(walk: Walk, kind: string): never {
  throw new Fault('flow.step-unknown', `step ${walk.state.at} of ${walk.agent.name} does not wait for '${kind}'`)
}
