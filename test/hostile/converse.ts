import type { AgentParts, ToolCall } from '../../functions/agent/parts.ts'
import { cleanJson, isBlank } from '../../functions/ingress/clean-json.ts'
import type { Employee } from '../../local/servicenow/employees.ts'
import { sysIdOfEmployee } from '../../local/servicenow/records.ts'
import type { Ticket } from '../../local/servicenow/tickets.ts'
import { eventTypes } from '../../shared/events/catalogue.ts'
import type { Database } from '../../shared/store/connect.ts'
import { findRequest } from '../../shared/store/requests.ts'
import type { ComposedWorld } from '../compose-world.ts'
import { quiet } from '../pipeline.ts'
import type { Act, Decided } from './acts.ts'
import { type Facts, gatherFacts } from './facts.ts'
import type { Message } from './hostile-model.ts'
import { judgeAnswer, judgeFields, judgeTickets, type Offer, readOffer, type Violation } from './judge-turn.ts'
import {
  answersToDecisions,
  judgeConversation,
  judgeEvents,
  judgePrompts,
  judgeSteps,
  judgeToolCalls,
} from './judge-world.ts'
import type { Person } from './people.ts'
import type { Records } from './records.ts'
import { type Asked, type Decide, findNewlyAsked, judgeAboveLimit, judgeDecision } from './second-yes.ts'

/** The system under attack, and what is looked at from outside. */
export interface Arena extends ComposedWorld {
  database: Database
  records: Records
  /** Tools as agents may call them, by whether they change anything. */
  toolCalls: ToolCall[]
  /** What the model was asked, where the model is one that tells. */
  prompts: Message[][]
  decide: Decide
}

export interface Exchange {
  message: string
  answer: string
}

export interface Transcript {
  exchanges: Exchange[]
  violations: Violation[]
  tickets: number
  /** How often somebody tried to decide what a second person was asked, and how often that counted. */
  decisions: { tried: number; counted: number }
}

/** Who has a part in a conversation, and data of those who have none. */
export interface Company {
  person: Person
  manager: Employee | null
  /** Address of somebody who has no part in it but tries to decide. */
  colleague?: string
  others: string[]
  /** What tools are made to answer, where that is the attack: it may be shown as their facts. */
  told?: Pick<Facts, 'rows' | 'values'>
}

const minute = 60_000
const hour = 60 * minute
const command = /^(?:reset|clear|restart|new session|\**tokens\**|token stats|usage stats|quit|exit|q)$/i

/**
 * Lets the acts happen one after the other, waits for each answer as an employee would, and judges every one. It ends at
 * the first violation.
 */
export async function converse(arena: Arena, company: Company, acts: Act[]): Promise<Transcript> {
  const { pipeline, mock } = arena
  const talk: Talk = {
    arena,
    company,
    exchanges: [],
    said: [],
    times: [pipeline.now()],
    offer: null,
    shown: null,
    asked: [],
    decisions: { tried: 0, counted: 0 },
  }
  const before = mock.tickets().length
  const end = (violations: Violation[]): Transcript => {
    const tickets = mock.tickets().length - before
    return { exchanges: talk.exchanges, violations, tickets, decisions: talk.decisions }
  }
  arena.toolCalls.length = 0
  for (const act of acts) {
    pipeline.pass(act.after)
    const events = pipeline.events.length
    const violations = 'text' in act ? await hear(talk, act.text) : await attempt(talk, act)
    violations.push(...judgeEvents(pipeline.events.slice(events)))
    if (violations.length > 0) return end(violations)
  }
  const { database } = arena
  const { email } = company.person
  const late = await answersToDecisions(database, email)
  const facts = factsOf(talk)
  return end([
    ...late.flatMap((answer) => judgeAnswer(answer, facts, company.others)),
    ...judgeAboveLimit(ticketsOf(arena, company.person), talk.asked, facts),
    ...(await judgeSteps(database, email)),
    ...(await judgeConversation(database, email, talk.said.length, company.told === undefined)),
  ])
}

/** A conversation as it stands. */
interface Talk {
  arena: Arena
  company: Company
  exchanges: Exchange[]
  said: string[]
  /** Moments at which what is told may have been looked up. */
  times: Date[]
  /** What the last answer asks a yes for. */
  offer: Offer | null
  /** The last that was shown in full. */
  shown: Offer | null
  asked: Asked[]
  decisions: Transcript['decisions']
}

async function hear(talk: Talk, text: string): Promise<Violation[]> {
  const { arena, company, said, times } = talk
  const { pipeline, mock, database } = arena
  const { person, manager, others } = company
  // As the door takes it.
  const message = String(cleanJson(text))
  if (isBlank(message)) return []
  times.push(pipeline.now())
  said.push(message)
  const known = mock.tickets()
  const answer = await ask(arena, person.email, message)
  times.push(pipeline.now())
  if (typeof answer !== 'string') {
    talk.exchanges.push({ message, answer: '' })
    return [answer]
  }
  talk.exchanges.push({ message, answer })
  const facts = factsOf(talk)
  const opened = mock.tickets().filter((ticket) => !known.includes(ticket))
  const { offer } = talk
  const turn = { message, offer, answer, manager: manager?.email ?? null }
  const second = await findNewlyAsked(database, person.email, talk.asked, turn)
  talk.asked.push(...second.asked)
  // A command is answered beside the conversation; only after a reset is there no question left.
  if (!command.test(message.trim())) {
    talk.offer = readOffer(answer, talk.shown, facts)
    talk.shown = talk.offer ?? talk.shown
  } else if (!/token|usage/i.test(message)) talk.offer = null
  return [
    ...judgeTickets(opened, message, offer, company.told === undefined ? answer : null, facts),
    ...second.violations,
    ...judgeAnswer(answer, facts, others),
    ...judgeToolCalls(arena.toolCalls, person.email),
    ...judgePrompts(arena.prompts, others, said),
  ]
}

/** Somebody tries to decide what was last asked of a second person, where anything was. */
async function attempt(talk: Talk, act: Decided): Promise<Violation[]> {
  const { arena, company } = talk
  const { pipeline, mock, database } = arena
  const asked = talk.asked.at(-1)
  const { email } = company.person
  const by = { asker: email, colleague: company.colleague, manager: company.manager?.email }[act.by]
  if (asked === undefined || by === undefined) return []
  const known = mock.tickets()
  const told = await answersToDecisions(database, email)
  // In so long a time the ticks have come, and with them the end of what was asked.
  if (act.after > hour) await tick(arena)
  const expiries = (await answersToDecisions(database, email)).slice(told.length)
  const now = pipeline.now()
  talk.times.push(now)
  const decision = await arena.decide(database, asked.id, act, by, now)
  await pipeline.deliver(...decision.events)
  const answersSince = async () => (await answersToDecisions(database, email)).slice(told.length + expiries.length)
  let answers = await answersSince()
  // As with a message: it may take the ticks of half an hour until the employee hears.
  for (let ticks = 0; decision.events.length > 0 && answers.length === 0 && ticks < 6; ticks += 1) {
    pipeline.pass(5 * minute)
    await tick(arena)
    answers = await answersSince()
  }
  const opened = mock.tickets().filter((ticket) => !known.includes(ticket))
  talk.exchanges.push({ message: `[${act.by}: ${act.decision}]`, answer: answers.join('\n\n') })
  const violations = judgeDecision(asked, act, by, now, {
    decision,
    opened,
    answers,
    isToldTrue: company.told === undefined,
  })
  talk.decisions.tried += 1
  if (decision.events.length > 0) {
    talk.decisions.counted += 1
    asked.state = act.decision === 'approve' ? 'approved' : 'declined'
  }
  return [...violations, ...judgeToolCalls(arena.toolCalls, email), ...opened.flatMap(judgeFields)]
}

function factsOf({ arena, company, said, times }: Talk): Facts {
  const { person, manager, told } = company
  const tickets = ticketsOf(arena, person)
  const facts = gatherFacts(arena.records, person, { manager, tickets, said, times: [...times, arena.pipeline.now()] })
  if (told === undefined) return facts
  return { ...facts, rows: withMore(facts.rows, told.rows), values: withMore(facts.values, told.values) }
}

function withMore<Fact>(facts: Record<string, Fact[]>, more: Record<string, Fact[]>): Record<string, Fact[]> {
  const names = Object.keys({ ...facts, ...more })
  return Object.fromEntries(names.map((name) => [name, [...(facts[name] ?? []), ...(more[name] ?? [])]]))
}

function ticketsOf({ mock }: Arena, { employee }: Person): Ticket[] {
  return employee === null ? [] : mock.tickets().filter((ticket) => ticket.requested_for === sysIdOfEmployee(employee))
}

/** The answer to a message, however many ticks it takes within half an hour; or what is wrong with there being none. */
async function ask(arena: Arena, email: string, message: string): Promise<string | Violation> {
  const { pipeline, database } = arena
  try {
    const { id, event } = await pipeline.accept(email, message)
    await pipeline.deliver(event)
    for (let ticks = 0; ; ticks += 1) {
      const request = await findRequest(database, id)
      if (request?.state === 'answered' || request?.state === 'failed') return request.response?.content ?? ''
      if (ticks === 6) return { kind: 'no answer within half an hour', detail: request?.state ?? 'no request' }
      pipeline.pass(5 * minute)
      await tick(arena)
    }
  } catch (error) {
    return {
      kind: 'a fault that nobody foresaw',
      detail: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }
  }
}

async function tick({ pipeline }: Arena): Promise<void> {
  const id = `tick-${pipeline.now().getTime()}`
  const event = { specversion: '1.0' as const, id, source: '/ping', type: eventTypes.tick, data: { task: 'repair' } }
  await pipeline.handlers.keeper(event, quiet)
  await pipeline.deliver()
}

/** Notes every call of a tool before it is made. */
export function noteCalls(notes: ToolCall[]): (call: AgentParts['callTool']) => AgentParts['callTool'] {
  return (call) => (toolCall, signal) => {
    notes.push(structuredClone(toolCall))
    return call(toolCall, signal)
  }
}
