import { type Employee, employees } from '../local/servicenow/employees.ts'
import { toFault } from '../shared/errors/to-fault.ts'
import type { Agents } from '../shared/flow/index.ts'
import { type Case, type Situation, situations } from './cases.ts'
import { type Got, isExpected, outcomeOf } from './judge.ts'
import { type Observed, observe } from './observe.ts'

/** A case that was run, or why it could not be. */
export type Outcome =
  | { case: Case; ran: true; right: boolean; got: Got; observed: Observed }
  | { case: Case; ran: false; why: string }

/** Messages that bring a new conversation to the situation, and the question that must then be open; none needs a model. */
const leads: Record<Situation, { messages: string[]; question: string | null }> = {
  'first-message': { messages: [], question: null },
  offer: { messages: ['refresh'], question: 'offer' },
  pick: { messages: ['refresh', 'yes'], question: 'ask-laptop' },
  confirm: { messages: ['refresh', 'yes', '3'], question: 'confirm-ticket' },
  'licence-details': { messages: [], question: null },
}

/**
 * An employee for each case, with Alice Johnson's record (EMEA, old enough a laptop), so that no case sees anything of
 * another.
 */
export function employeesFor(count: number): Employee[] {
  const alice = employees.find(({ email }) => email === 'alice.johnson@company.com')
  if (alice?.laptop == null) throw new Error('The ServiceNow mock has no Alice Johnson with a laptop any more.')
  const { laptop } = alice
  return Array.from({ length: count }, (_, index) => ({
    ...alice,
    number: `${alice.number}-${index + 1}`,
    email: `alice.johnson.${index + 1}@company.com`,
    laptop: { ...laptop, serial: `${laptop.serial}-${index + 1}` },
  }))
}

/** Says every case's message to the system, each in a conversation of its own, and judges what came of it. */
export async function runCases(
  cases: Case[],
  system: Parameters<typeof observe>[0] & { agents: Agents; employees: Employee[] },
  options: { onProgress?: (done: number, next: Case | undefined) => void; signal?: AbortSignal } = {},
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const [index, item] of cases.entries()) {
    options.signal?.throwIfAborted()
    options.onProgress?.(index, item)
    const email = system.employees[index]?.email
    if (email === undefined) throw new Error(`There is no employee for case ${item.id}.`)
    outcomes.push(await runCase(item, system, email))
  }
  options.onProgress?.(cases.length, undefined)
  return outcomes
}

async function runCase(
  item: Case,
  system: Parameters<typeof observe>[0] & { agents: Agents },
  email: string,
): Promise<Outcome> {
  try {
    await lead(item.situation, system, email)
    const observed = await observe(system, email, item.message)
    const got = outcomeOf(item, observed, system.agents)
    return { case: item, ran: true, right: isExpected(item.expect, got), got, observed }
  } catch (error) {
    return { case: item, ran: false, why: error instanceof Error ? error.message : toFault(error).message }
  }
}

async function lead(situation: Situation, system: Parameters<typeof observe>[0], email: string): Promise<void> {
  const { messages, question } = leads[situation]
  let asked: string | null = null
  for (const message of messages) {
    const { flow, modelCalls } = await observe(system, email, message)
    if (modelCalls > 0) throw new Error(`"${message}" on the way to ${situation} was left to the model`)
    asked = flow?.asked ?? null
  }
  if (asked !== question)
    throw new Error(`the way to ${situation} ended at ${asked ?? 'no question'}, not at ${question}`)
}

/** The same figures for every situation and for all of them. */
export interface Figures {
  situation: Situation | 'all'
  messages: number
  right: number
  notRun: number
  /** Messages that code alone understood. */
  withoutModel: number
  modelCalls: number
  inputTokens: number
  outputTokens: number
}

export function figuresOf(outcomes: Outcome[]): Figures[] {
  const present = situations.filter((situation) => outcomes.some((outcome) => outcome.case.situation === situation))
  return [
    ...present.map((situation) =>
      count(
        situation,
        outcomes.filter((outcome) => outcome.case.situation === situation),
      ),
    ),
    count('all', outcomes),
  ]
}

function count(situation: Figures['situation'], outcomes: Outcome[]): Figures {
  const ran = outcomes.filter((outcome) => outcome.ran)
  const sum = (of: (observed: Observed) => number) => ran.reduce((total, { observed }) => total + of(observed), 0)
  return {
    situation,
    messages: outcomes.length,
    right: ran.filter(({ right }) => right).length,
    notRun: outcomes.length - ran.length,
    withoutModel: ran.filter(({ observed }) => observed.modelCalls === 0).length,
    modelCalls: sum((observed) => observed.modelCalls),
    inputTokens: sum((observed) => observed.inputTokens),
    outputTokens: sum((observed) => observed.outputTokens),
  }
}
