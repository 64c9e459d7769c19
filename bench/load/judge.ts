import type { Sent } from './arrivals.ts'
import type { MessageRow, Outcome, RequestRow, TurnRow } from './outcome.ts'

export interface Limits {
  /** Milliseconds that a message may wait for its turn once its session is free, and that a turn may take. */
  longestMs: number
  /** The person whose question the model held, for whom only the order is judged; null where it held none. */
  held: string | null
}

/** What is wrong with a phase: one sentence for each thing that laws 1 and 2 forbid, and for each session that starved. */
export function judge(sent: readonly Sent[], outcome: Outcome, limits: Limits): string[] {
  const wrong: string[] = []
  const byPerson = groupBy(outcome.requests, ({ person }) => person)
  const turnsOf = groupBy(outcome.turns, ({ request }) => request)
  const messagesOf = groupBy(outcome.messages, ({ session }) => session)
  const turnsIn = groupBy(outcome.turns, ({ session }) => session)

  for (const [person, messages] of groupBy(sent, (one) => one.person)) {
    const requests = byPerson.get(person) ?? []
    wrong.push(...accepted(person, messages, requests))
    wrong.push(...answered(person, requests, turnsOf))
    const sessions = new Set(requests.map(({ session }) => session))
    const [session] = sessions
    if (sessions.size !== 1 || session === undefined || session === null) {
      wrong.push(`${person} has ${sessions.size} sessions instead of one`)
      continue
    }
    const turns = turnsIn.get(session) ?? []
    wrong.push(...inOrder(person, messages, messagesOf.get(session) ?? [], turns))
    wrong.push(...oneAtATime(person, turns))
    if (person !== limits.held) wrong.push(...starved(person, requests, turns, limits.longestMs))
  }
  if (outcome.unsettled > 0) wrong.push(`${outcome.unsettled} sessions are still owed something`)
  if (outcome.leased > 0) wrong.push(`${outcome.leased} claims were left leased`)
  if (outcome.deadLetters > 0) wrong.push(`${outcome.deadLetters} events ended as dead letters`)
  return wrong
}

/** Each message became one request, in the order in which it was sent. */
function accepted(person: string, messages: Sent[], requests: RequestRow[]): string[] {
  const [want, have] = [messages.map(({ request }) => request), requests.map(({ id }) => id)]
  if (want.length === have.length && want.every((id, index) => id === have[index])) return []
  return [`${person} sent ${want.length} messages, and ${have.length} requests stand in another order or number`]
}

/** Each request has one answer, of one turn, delivered once. */
function answered(person: string, requests: RequestRow[], turnsOf: Map<string, TurnRow[]>): string[] {
  const wrong: string[] = []
  for (const [index, { id, state, answer }] of requests.entries()) {
    const which = `message ${index + 1} of ${person}`
    const turns = turnsOf.get(id) ?? []
    if (state !== 'answered' || !answer) wrong.push(`${which} is ${state}`)
    if (turns.length !== 1) wrong.push(`${which} has ${turns.length} turns`)
    for (const turn of turns) {
      if (turn.state !== 'answered') wrong.push(`${which}: its turn is ${turn.state}`)
      if (turn.deliveries !== 1) wrong.push(`${which} was delivered ${turn.deliveries} times`)
    }
  }
  return wrong
}

/** The history has the person's messages as they were sent, and as many answers, in the order of what they answer. */
function inOrder(person: string, messages: Sent[], history: MessageRow[], turns: TurnRow[]): string[] {
  const wrong: string[] = []
  const said = history.filter(({ role }) => role === 'employee')
  if (said.map(({ content }) => content).join('\n') !== messages.map(({ content }) => content).join('\n')) {
    wrong.push(`the queue of ${person} has not the messages in the order in which they were sent`)
  }
  if (history.some(({ state }) => state !== 'done')) wrong.push(`${person} has messages that are not done`)
  const requestOf = new Map(turns.map(({ id, request }) => [id, request]))
  const answers = history.filter(({ role }) => role === 'agent').map(({ turn }) => requestOf.get(turn ?? '') ?? '')
  if (answers.join() !== said.map(({ request }) => request).join()) {
    wrong.push(`${person} has ${answers.length} answers to ${said.length} messages, not one for each in their order`)
  }
  const numbers = history.map(({ number }) => number)
  if (numbers.some((number, index) => number !== index + 1)) wrong.push(`the history of ${person} has gaps`)
  return wrong
}

function oneAtATime(person: string, turns: TurnRow[]): string[] {
  return turns.flatMap((turn, index) => {
    const before = turns[index - 1]
    if (before === undefined || (before.finishedAt !== null && before.finishedAt <= turn.openedAt)) return []
    return [`turn ${index + 1} of ${person} was opened before turn ${index} was finished`]
  })
}

/** Waiting behind one's own earlier messages is no starving; waiting for others' is. */
function starved(person: string, requests: RequestRow[], turns: TurnRow[], longestMs: number): string[] {
  const longest = Math.max(0, ...waits(requests, turns).flatMap(({ waitedMs, tookMs }) => [waitedMs, tookMs]))
  return longest <= longestMs ? [] : [`${person} starved: ${Math.round(longest)} ms for one turn`]
}

export interface Wait {
  /** Milliseconds from when the message was accepted and the turn before was finished until its turn was opened. */
  waitedMs: number
  tookMs: number
}

/** How long each turn of a session was waited for, and took. */
export function waits(requests: RequestRow[], turns: TurnRow[]): Wait[] {
  const acceptedAt = new Map(requests.map((request) => [request.id, request.acceptedAt.getTime()]))
  return turns.map((turn, index) => {
    const before = turns[index - 1]?.finishedAt?.getTime() ?? 0
    const opened = turn.openedAt.getTime()
    const finished = turn.finishedAt?.getTime() ?? Number.POSITIVE_INFINITY
    const free = Math.max(before, acceptedAt.get(turn.request) ?? 0)
    return { waitedMs: Math.max(0, opened - free), tookMs: finished - opened }
  })
}

export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
