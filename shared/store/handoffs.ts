import type { Event } from '../events/event.ts'
import type { Json } from '../flow/index.ts'
import type { Sql } from './connect.ts'
import type { RequestTarget } from './deliveries.ts'
import { queueRequests } from './messages.ts'
import { acceptRequest } from './requests.ts'

/** Why a person has a conversation: the employee asked for one, its model budget was spent, or a turn failed. */
export type HandoffReason = 'asked' | 'budget-spent' | 'failed'

/** A conversation in a person's hands. */
export interface Handoff {
  /** That of the approval under which the ticket was filed. */
  id: string
  session: string
  /** The ticket's number. */
  ticket: string
  /** When the employee last heard who has it. */
  toldAt: Date
}

/**
 * Notes that a person has the conversation; a second one while it is with a person changes nothing. The caller holds the
 * session's lock.
 */
export async function openHandoff(
  sql: Sql,
  handoff: { id: string; session: string; turn: string; why: HandoffReason; ticket: string; now: Date },
): Promise<void> {
  const { id, session, turn, why, ticket, now } = handoff
  await sql`
    insert into handoffs (id, session, turn, why, ticket, opened_at, told_at)
    values (${id}, ${session}, ${turn}, ${why}, ${ticket}, ${now}, ${now})
    on conflict do nothing`
}

/** How an approval's step is called that the system gave itself, to file the ticket of a hand-off. */
export const handoffStep = '$handoff'

/** Milliseconds for which a turn may use it. */
const grantedMs = 86_400_000

/** Gives the turn the approval under which its ticket may be filed, once; a repetition changes nothing. */
export async function grantHandoff(
  sql: Sql,
  approval: {
    id: string
    session: string
    turn: string
    request: string
    tool: string
    person: string
    arguments: Record<string, Json>
    argumentsHash: string
    now: Date
  },
): Promise<void> {
  const { id, session, turn, request, tool, person, argumentsHash, now } = approval
  await sql`
    insert into approvals (id, session, turn, step, tool, arguments, arguments_hash, person, state, decided_by, decided_at,
      expires_at, created_at, request)
    values (${id}, ${session}, ${turn}, ${handoffStep}, ${tool}, ${sql.json(approval.arguments)}, ${argumentsHash},
      ${person}, 'granted', 'system', ${now}, ${new Date(now.getTime() + grantedMs)}, ${now}, ${request})
    on conflict do nothing`
}

/** The hand-off for which the agent is silent in a session; null: there is none. */
export async function findOpenHandoff(sql: Sql, session: string): Promise<Handoff | null> {
  const [row] = await sql<Handoff[]>`
    select id, session, ticket, told_at as "toldAt" from handoffs where session = ${session} and state = 'open'`
  return row ?? null
}

/** How a message's turn begins: in a person's hands or not, and whether it is there to call one after a failure. */
export interface Standing {
  handoff: Handoff | null
  callsPerson: boolean
}

export async function findStanding(sql: Sql, turn: { session: string; request: string }): Promise<Standing> {
  const [row] = await sql<{ id: string | null; ticket: string | null; told_at: Date | null; calls: boolean }[]>`
    select h.id, h.ticket, h.told_at, r.after_failure is not null as calls
    from requests r left join handoffs h on h.session = ${turn.session} and h.state = 'open'
    where r.id = ${turn.request}`
  const { id = null, ticket = null, told_at = null, calls = false } = row ?? {}
  const isOpen = id !== null && ticket !== null && told_at !== null
  return { handoff: isOpen ? { id, session: turn.session, ticket, toldAt: told_at } : null, callsPerson: calls }
}

/** Notes that the employee heard again who has it. */
export async function noteTold(sql: Sql, id: string, now: Date): Promise<void> {
  await sql`update handoffs set told_at = ${now} where id = ${id}`
}

/** Gives the conversation back to the agent; false where it was given back before, or there is no such hand-off. */
export async function releaseHandoff(sql: Sql, id: string, by: string, now: Date): Promise<boolean> {
  const rows = await sql`
    update handoffs set state = 'released', released_at = ${now}, released_by = ${by}
    where id = ${id} and state = 'open' returning 1`
  return rows.length > 0
}

/** A hand-off as an operator sees it. */
export interface ListedHandoff {
  id: string
  session: string
  person: string
  ticket: string
  why: HandoffReason
  state: 'open' | 'released'
  openedAt: Date
  releasedAt: Date | null
  releasedBy: string | null
}

/** Hand-offs of one state, oldest first, after the one of id `after`, at most `limit`. */
export async function listHandoffs(
  sql: Sql,
  page: { state: 'open' | 'released'; after: string | null; limit: number },
): Promise<ListedHandoff[]> {
  const { state, after, limit } = page
  return await sql<ListedHandoff[]>`
    select h.id, h.session, p.email as person, h.ticket, h.why, h.state, h.opened_at as "openedAt",
      h.released_at as "releasedAt", h.released_by as "releasedBy"
    from handoffs h join sessions s on s.id = h.session join people p on p.id = s.person
    where h.state = ${state}
      and (${after}::uuid is null or (h.opened_at, h.id) > (select opened_at, id from handoffs where id = ${after}::uuid))
    order by h.opened_at, h.id limit ${limit}`
}

/** A hand-off, whatever its state; null: there is none of that id. */
export async function findHandoff(
  sql: Sql,
  id: string,
): Promise<{ state: 'open' | 'released'; session: string } | null> {
  const [row] = await sql<{ state: 'open' | 'released'; session: string }[]>`
    select state, session from handoffs where id = ${id}`
  return row ?? null
}

/** Puts the request into the session's queue that gives the conversation to a person after a turn has failed. */
export async function queueAfterFailure(
  sql: Sql,
  failed: { id: string; turn: { id: string; session: string; request: string }; now: Date },
  announce: (origin: { channel: string; traceparent: string }) => Event,
): Promise<void> {
  const { id, turn, now } = failed
  const [origin] = await sql<Origin[]>`
    select r.identity, r.channel, r.target, r.context, r.traceparent, s.person from requests r join sessions s on s.id = ${turn.session}
    where r.id = ${turn.request} and r.after_failure is null
      and not exists (select from handoffs h where h.session = s.id and h.state = 'open')`
  if (origin === undefined) return
  const { identity, channel, target, context, traceparent, person } = origin
  const { outcome } = await acceptRequest(sql, {
    ...{ id, caller: 'keeper', speaker: null, identity, channel, channelMessage: null, idempotencyKey: null },
    ...{
      bodyHash: '',
      requestType: 'handoff',
      content: 'A turn failed; a person is asked to take over.',
      metadata: {},
    },
    ...{ context, target, traceparent, event: JSON.stringify(announce(origin)), acceptedAt: now },
    ...{ approval: null, button: null },
  })
  if (outcome !== 'created') return
  await sql`update requests set after_failure = ${turn.id} where id = ${id}`
  await queueRequests(sql, { session: turn.session, person, upTo: id, now })
}

interface Origin {
  identity: string
  channel: string
  target: RequestTarget
  context: Record<string, unknown>
  traceparent: string
  person: string
}

/** What a turn has to do with a person who has the conversation, or had it. */
export interface DeskNews {
  kind: 'opened' | 'said' | 'back'
  ticket: string
  /** Address of the employee. */
  person: string
  /** The approval of the ticket. */
  approval: string
  why: HandoffReason
  words: string
}

/** What of a turn concerns whoever takes conversations over; null: nothing. */
export async function findDeskNews(sql: Sql, turn: string): Promise<DeskNews | null> {
  const [row] = await sql<DeskNews[]>`
    select case when h.turn = t.id then 'opened' when j.name = 'silent' then 'said' else 'back' end as kind,
      h.ticket, p.email as person, h.id as approval, h.why, m.content as words
    from turns t join sessions s on s.id = t.session join people p on p.id = s.person
      join messages m on m.session = t.session and m.number = t.message
      left join steps j on j.turn = t.id and j.kind = 'command'
      join handoffs h on h.session = t.session and (h.turn = t.id or h.ticket = j.answer ->> 'ticket')
    where t.id = ${turn} and (h.turn = t.id or j.name in ('silent', 'menu', 'reset'))
    order by h.opened_at desc limit 1`
  return row ?? null
}
