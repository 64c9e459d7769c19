import * as z from 'zod/mini'
import { Fault } from '../errors/fault.ts'
import type { Sql } from './connect.ts'
import type { RequestTarget } from './deliveries.ts'

/** What a door accepts; the row is written before the event that names it, and carries that event. */
export interface NewRequest {
  id: string
  /** Subject of the token that asked. */
  caller: string
  /** Verified e-mail address of the person who asked; null where a program did. */
  speaker: string | null
  /** Whom it is for: scheme and value, 'email:alice@example.com'. */
  identity: string
  channel: string
  /** The channel's own id of the message, by which a channel's second try is recognised. */
  channelMessage: string | null
  idempotencyKey: string | null
  bodyHash: string
  requestType: string
  content: string
  metadata: Record<string, unknown>
  context: Record<string, unknown>
  target: RequestTarget
  traceparent: string
  /** The request.created event as JSON, byte for byte as every publication of it. */
  event: string
  acceptedAt: Date
  /** The approval that this is the decision of; null: an employee's message. */
  approval: string | null
  /** The approval whose button was pressed to say it; null: the words were typed. */
  button: string | null
}

const response = z.object({
  content: z.string(),
  agent_id: z.nullable(z.string()),
  metadata: z._default(z.record(z.string(), z.unknown()), {}),
  processing_time_ms: z._default(z.int(), 0),
  requires_followup: z._default(z.boolean(), false),
  followup_actions: z._default(z.array(z.string()), []),
})

/** The answer as the API gives it: the predecessor's fields. */
export type Response = z.infer<typeof response>

export type RequestState = 'accepted' | 'queued' | 'answered' | 'failed'

export interface StoredRequest {
  id: string
  caller: string
  identity: string
  state: RequestState
  /** Known as soon as normalize has found or opened the conversation. */
  session: string | null
  bodyHash: string
  event: string
  response: Response | null
}

/** Seconds after which one of the waiting messages may have had its answer. */
const retryTooManySeconds = 10

export type Acceptance = { outcome: 'created' } | { outcome: 'repeated' | 'mismatched'; request: StoredRequest }

/** Tries to write a row, where the rows in its way are each time deleted before they are read. */
const mostTries = 3

/**
 * Writes a request's row, once for each channel message, for each caller and Idempotency-Key, for each decision and for
 * each id. `repeated` and `mismatched` give the row that was there first: with the same body, or with another.
 *
 * One person's rows get their `accepted` numbers in the order of their commits (the lock is the person's, and ends
 * with this statement's transaction): a number that becomes visible late could be passed over by the queue.
 * Under the same lock it is decided whether one more may wait: `mostWaiting` of this person's on this channel at most.
 * @throws Fault `request.too-many`; `store.unavailable` where the rows in its way are gone again and again
 */
export async function acceptRequest(
  sql: Sql,
  request: NewRequest,
  mostWaiting: number | null = null,
): Promise<Acceptance> {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const acceptance = await tryToAccept(sql, request, mostWaiting)
    if (acceptance !== null) return acceptance
  }
  throw new Fault('store.unavailable', `whatever was in the way of request ${request.id} was gone ${mostTries} times`)
}

async function tryToAccept(sql: Sql, request: NewRequest, mostWaiting: number | null): Promise<Acceptance | null> {
  const [passed] = await sql<{ free: boolean; written: boolean }[]>`
    with turnstile as materialized (
      select pass_turnstile(coalesce(
        (select person::text from identities where identity = ${request.identity}), ${request.identity}),
        ${request.identity}, ${request.channel}, ${mostWaiting}::int) as free
    ), written as (
      insert into requests (id, caller, speaker, identity, channel, channel_message, idempotency_key, body_hash,
        request_type, content, metadata, context, target, traceparent, event, accepted_at, approval, button)
      select ${request.id}::uuid, ${request.caller}, ${request.speaker}, ${request.identity}, ${request.channel},
        ${request.channelMessage}, ${request.idempotencyKey}, ${request.bodyHash}, ${request.requestType},
        ${request.content}, ${JSON.stringify(request.metadata)}::text::jsonb,
        ${JSON.stringify(request.context)}::text::jsonb, ${JSON.stringify(request.target)}::text::jsonb,
        ${request.traceparent}, ${request.event}, ${request.acceptedAt}::timestamptz, ${request.approval}::uuid,
        ${request.button}::uuid
      from turnstile where free
      on conflict do nothing
      returning 1
    )
    select free, exists (select from written) as written from turnstile`
  if (passed?.written) return { outcome: 'created' }
  const [row] = await sql`
    select id, caller, identity, state, session, body_hash, event, response from requests
    where (caller = ${request.caller} and idempotency_key = ${request.idempotencyKey})
      or (channel = ${request.channel} and channel_message = ${request.channelMessage})
      or id = ${request.id} or approval = ${request.approval}
    order by accepted limit 1`
  if (row === undefined && passed?.free === false) {
    throw new Fault(
      'request.too-many',
      `you have ${mostWaiting} messages waiting for their answers: that is the most`,
      {
        retryAfter: retryTooManySeconds,
      },
    )
  }
  // The row in the way was deleted between the two statements: it no longer stands in the way.
  if (row === undefined) return null
  const earlier = toStored(row)
  return { outcome: earlier.bodyHash === request.bodyHash ? 'repeated' : 'mismatched', request: earlier }
}

export async function findRequest(sql: Sql, id: string): Promise<StoredRequest | null> {
  const [row] = await sql`
    select id, caller, identity, state, session, body_hash, event, response from requests where id = ${id}`
  return row === undefined ? null : toStored(row)
}

/** Of these requests, those that have their answer: one query however many wait. */
export async function findAnswered(sql: Sql, ids: readonly string[]): Promise<StoredRequest[]> {
  const rows = await sql`
    select id, caller, identity, state, session, body_hash, event, response from requests
    where id = any(${`{${ids.join(',')}}`}::text::uuid[]) and state in ('answered', 'failed')`
  return rows.map(toStored)
}

export interface Conversation {
  id: string
  state: 'open' | 'closed'
  agent: string | null
  createdAt: Date
  messages: Message[]
}

export interface Message {
  number: number
  /** `approver`: somebody else's decision on what the employee asked for. */
  role: 'employee' | 'approver' | 'agent' | 'system'
  content: string
  request: string | null
  createdAt: Date
}

/**
 * The messages of a conversation after number `after`, at most `limit`; null where there is none of that id or, with
 * an `email`, where it is not this person's.
 */
export async function findConversation(
  sql: Sql,
  id: string,
  page: { email: string | null; after: number; limit: number },
): Promise<Conversation | null> {
  const [session] = await sql<{ id: string; state: 'open' | 'closed'; agent: string | null; created_at: Date }[]>`
    select id, state, agent, created_at from sessions
    where id = ${id} and (${page.email}::text is null or exists (
      select from identities where person = sessions.person and identity = 'email:' || ${page.email}::text))`
  if (session === undefined) return null
  const messages = await sql<(Omit<Message, 'createdAt'> & { created_at: Date })[]>`
    select number, role, content, request, created_at from messages
    where session = ${id} and number > ${page.after} order by number limit ${page.limit}`
  return {
    id: session.id,
    state: session.state,
    agent: session.agent,
    createdAt: session.created_at,
    messages: messages.map(({ created_at, ...message }) => ({ ...message, createdAt: created_at })),
  }
}

function toStored(row: Record<string, unknown>): StoredRequest {
  return stored.parse(row)
}

const stored = z.pipe(
  z.object({
    id: z.string(),
    caller: z.string(),
    identity: z.string(),
    state: z.enum(['accepted', 'queued', 'answered', 'failed']),
    session: z.nullable(z.string()),
    body_hash: z.string(),
    event: z.string(),
    response: z.nullable(response),
  }),
  z.transform(({ body_hash, ...row }): StoredRequest => ({ ...row, bodyHash: body_hash })),
)
