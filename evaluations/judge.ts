import type { Agents, FlowState, Json } from '../shared/flow/index.ts'
import { isJsonObject } from '../shared/flow/json.ts'
import type { Case } from './cases.ts'
import type { Observed } from './observe.ts'

/** What the agent made of a message, in the words of the expectations and a few more where it did something else. */
export type Got = Record<string, string | number | boolean | null>

/** Reads what was observed as the outcome that the case's situation asks about. */
export function outcomeOf({ situation }: Pick<Case, 'situation'>, observed: Observed, agents: Agents): Got {
  switch (situation) {
    case 'first-message':
      return { agent: agentOf(observed) }
    case 'offer':
      return { label: labelOf(observed, agents) }
    case 'pick':
      return { pick: pickOf(observed) }
    case 'confirm':
      return { answer: answerOf(observed) }
    case 'licence-details':
      return licenceOf(observed)
  }
}

/** Whether the outcome is the expected one: every expected field, and nothing else counts. */
export function isExpected(expect: Case['expect'], got: Got): boolean {
  return Object.entries(expect).every(([field, value]) => fieldIsExpected(field, value, got[field]))
}

/** Letter case does not count, and a product may be expected under any name of its row: the outcome has them all. */
export function fieldIsExpected(field: string, expected: Json, got: Got[string] | undefined): boolean {
  if (typeof expected !== 'string' || typeof got !== 'string') return got === expected
  const names = field === 'product' ? got.split(nameSeparator) : [got]
  return names.some((name) => name.toLowerCase() === expected.trim().toLowerCase())
}

const nameSeparator = ' / '

/** The specialist that answered; of the router, whether it said what it can do or asked what is meant. */
function agentOf({ answeredBy, flow, tools }: Observed): string {
  if (answeredBy !== 'router') return answeredBy
  if (flow === null) return tools.length > 0 ? 'open-requests' : 'goodbye'
  // A greeting is answered with the same list.
  if (flow.asked === 'capabilities' || flow.asked === 'greeting') return 'capabilities'
  return flow.asked === 'unclear' ? 'unsure' : `router at ${flow.asked}`
}

function labelOf({ answeredBy, answer, agents: visited, flow }: Observed, agents: Agents): string {
  if (answeredBy === 'system') return 'command'
  if (answeredBy !== 'laptop-refresh') return 'back'
  // It left, and the router sent it straight back to the beginning.
  if (visited.includes('router')) return 'restart'
  if (flow === null) return 'decline'
  if (flow.asked === 'ask-laptop') return 'proceed'
  if (flow.asked !== 'offer') return `at ${flow.asked}`
  // The offer is made again after an answer, from the documents or the employee's record, and after a shrug.
  return answer.startsWith(sentenceOf(agents, 'laptop-refresh', 'not-understood')) ? 'not understood' : 'question'
}

/** The place on the list of the laptop that the confirmation names and the approval would order; null: none. */
function pickOf({ answer, flow, openApprovals, tickets }: Observed): number | string | null {
  if (tickets > 0) return 'a ticket was opened'
  const question = questionOf(flow)
  const [approval, ...more] = openApprovals
  if (question === null || approval === undefined) return null
  const options = rowsOf(flow?.variables['options'])
  const index = options.findIndex(
    (option) => option['ServiceNow Code'] === approval.arguments['servicenow_laptop_code'],
  )
  const model = options[index]?.['Model']
  const isNamed = typeof model === 'string' && question.includes(model) && answer.endsWith(question)
  return isNamed && more.length === 0 ? index + 1 : 'question and approval differ'
}

/** The question whether to open the laptop's ticket, where that is what the employee is asked now. */
function questionOf(flow: FlowState | null): string | null {
  const isAsked = flow?.agent === 'laptop-refresh' && flow.waiting === 'approval' && flow.asked === 'confirm-ticket'
  return isAsked ? flow.asking : null
}

/** `no`: nothing was opened and the question is off the table, however the agent understood that. */
function answerOf({ openApprovals, tickets }: Observed): string {
  if (tickets > 0) return 'yes'
  return openApprovals.length > 0 ? 'neither' : 'no'
}

function licenceOf({ answeredBy, flow }: Observed): Got {
  if (answeredBy !== 'software-licence' || flow?.agent !== 'software-licence') return { 'answered by': answeredBy }
  const { product, seats, cost_centre, justification } = flow.slots
  return {
    product: namesOf(product),
    seats: typeof seats === 'number' ? seats : null,
    cost_centre: typeof cost_centre === 'string' ? cost_centre : null,
    justification: typeof justification === 'string' && justification !== '',
  }
}

/** Every name of a product row, the list's own first. */
function namesOf(row: Json | undefined): string | null {
  const [product] = rowsOf(row === undefined ? [] : [row])
  if (product === undefined) return null
  const names = [product['Product'], product['Short Name']].filter((name) => typeof name === 'string')
  return [...new Set(names)].join(nameSeparator)
}

function rowsOf(value: Json | undefined): Record<string, Json>[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

/** What a step without placeholders says. @throws Error where the agent has no such step any more */
function sentenceOf(agents: Agents, agent: string, name: string): string {
  const step = agents.byName.get(agent)?.steps[name]
  if (step?.verb !== 'say')
    throw new Error(`${agent} has no step ${name} that says something: see evaluations/judge.ts`)
  return step.say.trim()
}
