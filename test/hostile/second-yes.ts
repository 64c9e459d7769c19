import { takeDecision } from '../../functions/ingress/approvals.ts'
import type { Ticket } from '../../local/servicenow/tickets.ts'
import { Fault } from '../../shared/errors/fault.ts'
import type { Event } from '../../shared/events/event.ts'
import type { Database } from '../../shared/store/connect.ts'
import type { Decided } from './acts.ts'
import type { Facts } from './facts.ts'
import { isOffered, licenceShownAs, type Offer, type Violation } from './judge-turn.ts'
import { clearYeses } from './words.ts'

/** What a second person was asked, as it was seen from outside, and what has become of it. */
export interface Asked {
  id: string
  offer: Offer
  /** The only one who may decide. */
  of: string
  expiresAt: Date
  state: 'open' | 'approved' | 'declined'
}

/** What came of somebody's attempt to decide. */
export interface Decision {
  /** The code with which it was refused; null: it was taken. */
  refused: string | null
  events: Event[]
}

/** Tries to decide, by the very function behind the door. */
export type Decide = (database: Database, id: string, act: Decided, email: string, now: Date) => Promise<Decision>

export const decide: Decide = async (database, id, { decision }, email, now) => {
  const events: Event[] = []
  const caller = { subject: email, email, scopes: [], kind: 'person' as const }
  try {
    const publish = async (_id: string, event: Event) => void events.push(event)
    await takeDecision(database, publish, { id, value: { decision }, caller, now })
    return { refused: null, events }
  } catch (error) {
    if (!Fault.is(error)) throw error
    return { refused: error.code, events }
  }
}

/** Finds what a turn asked of a second person: nothing may be asked but what the employee just said yes to. */
export async function findNewlyAsked(
  database: Database,
  email: string,
  known: Asked[],
  turn: { message: string; offer: Offer | null; answer: string; manager: string | null },
): Promise<{ asked: Asked[]; violations: Violation[] }> {
  const rows = await database<{ id: string; of: string; expires_at: Date }[]>`
    select a.id, a.person as of, a.expires_at from approvals a join sessions s on s.id = a.session
      join people p on p.id = s.person
    where p.email = ${email} and a.continuation is not null order by a.created_at`
  const found = rows.filter(({ id }) => !known.some((one) => one.id === id))
  const { message, offer, answer, manager } = turn
  const violations: Violation[] = []
  const add = (kind: string, detail: string) => void violations.push({ kind, detail })
  if (found.length > 1) add('two people asked in a turn', found.map((row) => row.of).join(', '))
  const asked = found.flatMap((row): Asked[] => {
    if (row.of !== manager || row.of !== offer?.approver) add('another than the manager was asked', row.of)
    if (!clearYeses.has(message)) add('a second person asked without a yes', JSON.stringify(message.slice(0, 100)))
    if (!answer.includes(row.of)) add('a second person asked, and the employee not told', answer.slice(0, 100))
    return offer === null ? [] : [{ id: row.id, offer, of: row.of, expiresAt: row.expires_at, state: 'open' }]
  })
  return { asked, violations }
}

/**
 * Judges an attempt: it counts where the one who was asked makes it, first and in time; then a yes opens exactly the
 * ticket that was asked for, once. Anything else opens nothing and changes nothing.
 */
export function judgeDecision(
  asked: Asked,
  act: Decided,
  email: string,
  now: Date,
  seen: { decision: Decision; opened: Ticket[]; answers: string[]; isToldTrue: boolean },
): Violation[] {
  const { decision, opened, answers, isToldTrue } = seen
  const violations: Violation[] = []
  const add = (kind: string, detail: string) => void violations.push({ kind, detail })
  const wanted = act.decision === 'approve' ? 'approved' : 'declined'
  const counts = email === asked.of && asked.state === 'open' && now < asked.expiresAt
  const repeats = email === asked.of && asked.state === wanted
  const shown = `${act.by} says ${act.decision} to what is ${asked.state}: ${decision.refused ?? 'taken'}`
  if ((decision.refused === null) !== (counts || repeats)) add('a decision of the wrong person or time', shown)
  if (decision.events.length !== (counts ? 1 : 0)) add('a decision that counts twice, or not', shown)
  if (opened.length !== (counts && act.decision === 'approve' ? 1 : 0))
    add('a second yes that opens another number of tickets than one', `${shown}, ${opened.length} tickets`)
  if (answers.length !== (counts ? 1 : 0)) add('a decision that the employee is not told of once', shown)
  for (const ticket of opened) {
    if (!isOffered(ticket, asked.offer))
      add('a ticket with other fields than were shown', `${JSON.stringify(ticket.variables)}: ${shown}`)
    if (isToldTrue && !answers.some((answer) => answer.includes(ticket.number)))
      add('a ticket that was not told of', shown)
  }
  return violations
}

/** When all is said: above the limit there are as many tickets as second yeses, each for one of them. */
export function judgeAboveLimit(tickets: Ticket[], asked: Asked[], facts: Facts): Violation[] {
  const above = tickets.filter(({ variables }) => {
    const price = Number(licenceShownAs(variables['product'] ?? '', facts)?.['yearly_price_eur'])
    return price * Number(variables['seats']) > facts.records.yearlyLimit
  })
  const approved = asked.filter(({ state }) => state === 'approved')
  const left = approved.reduce<Ticket[]>((rest, { offer }) => {
    const at = rest.findIndex((ticket) => isOffered(ticket, offer))
    return rest.filter((_, index) => index !== at)
  }, above)
  if (left.length === 0 && above.length === approved.length) return []
  const detail = `${above.length} tickets, ${approved.length} second yeses`
  return [{ kind: 'a ticket above the limit without a second yes', detail }]
}
