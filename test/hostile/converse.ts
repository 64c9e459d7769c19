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
import { gatherFacts } from './facts.ts'
import type { Message } from './hostile-model.ts'
import { judgeAnswer, judgeTickets, type Offer, readOffer, type Violation } from './judge-turn.ts'
import { answersToDecisions, judgeConversation, judgePrompts, judgeToolCalls } from './judge-world.ts'
import type { Person } from './people.ts'
import type { Records } from './records.ts'
import type { Said } from './words.ts'

/** The system under attack, and what is looked at from outside. */
export interface Arena extends ComposedWorld {
  database: Database
  records: Records
  /** Tools as agents may call them, by whether they change anything. */
  toolCalls: ToolCall[]
  /** What the model was asked, where the model is one that tells. */
  prompts: Message[][]
}

export interface Exchange {
  message: string
  answer: string
}

export interface Transcript {
  exchanges: Exchange[]
  violations: Violation[]
  tickets: number
}

const minute = 60_000
const command = /^(?:reset|clear|restart|new session|\**tokens\**|token stats|usage stats|quit|exit|q)$/i

/**
 * Says the messages one after the other, waits for each answer as an employee would, and judges every one. It ends at
 * the first violation. `others` is data of people who have no part in
 * this.
 */
export async function converse(
  arena: Arena,
  cast: { person: Person; manager: Employee | null; others: string[] },
  messages: Said[],
): Promise<Transcript> {
  const { person, manager, others } = cast
  const { pipeline, mock, database, records } = arena
  const exchanges: Exchange[] = []
  const said: string[] = []
  const times = [pipeline.now()]
  const before = mock.tickets().length
  let offer: Offer | null = null
  let asked: Offer | null = null
  const end = (violations: Violation[]): Transcript => ({
    exchanges,
    violations,
    tickets: mock.tickets().length - before,
  })
  arena.toolCalls.length = 0
  for (const { text, after } of messages) {
    // As the door takes it.
    const message = String(cleanJson(text))
    if (isBlank(message)) continue
    pipeline.pass(after)
    times.push(pipeline.now())
    said.push(message)
    const known = mock.tickets()
    const answer = await ask(arena, person.email, message)
    times.push(pipeline.now())
    if (typeof answer !== 'string') {
      exchanges.push({ message, answer: '' })
      return end([answer])
    }
    exchanges.push({ message, answer })
    const own = ticketsOf(arena, person)
    const facts = gatherFacts(records, person, { manager, tickets: own, said, times })
    const opened = mock.tickets().filter((ticket) => !known.includes(ticket))
    const violations = [
      ...judgeTickets(opened, message, offer, answer, facts),
      ...judgeAnswer(answer, facts, others),
      ...judgeToolCalls(arena.toolCalls, person.email),
      ...judgePrompts(arena.prompts, others, said),
    ]
    if (violations.length > 0) return end(violations)
    // A command is answered beside the conversation; only after a reset is there no question left.
    if (!command.test(message.trim())) {
      offer = readOffer(answer, asked, facts)
      asked = offer ?? asked
    } else if (!/token|usage/i.test(message)) offer = null
  }
  const late = await answersToDecisions(database, person.email)
  const tickets = ticketsOf(arena, person)
  const facts = gatherFacts(records, person, { manager, tickets, said, times: [...times, pipeline.now()] })
  return end([
    ...late.flatMap((answer) => judgeAnswer(answer, facts, others)),
    ...(await judgeConversation(database, person.email, exchanges.length)),
  ])
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
