import { deterministicId, type Event } from '../events/event.ts'
import { requestCreated } from '../events/request-created.ts'
import type { FlowState, Json } from '../flow/index.ts'
import { noteAudit } from './audit.ts'
import type { Sql } from './connect.ts'
import type { RequestTarget } from './deliveries.ts'
import { acceptRequest } from './requests.ts'

/** What somebody is asked to approve for another person. */
export interface AskedApproval {
  id: string
  /** E-mail address of the employee whose request waits. */
  requester: string
  question: string
  tool: string
  arguments: Record<string, Json>
  createdAt: Date
  expiresAt: Date
}

interface AskedRow {
  id: string
  requester: string
  question: string
  tool: string
  arguments: Record<string, Json>
  created_at: Date
  expires_at: Date
}

/** The approvals that wait for this person's decision on another's request, oldest first, at most `limit`. */
export async function findAskedOf(
  sql: Sql,
  options: { email: string; now: Date; limit: number },
): Promise<AskedApproval[]> {
  const rows = await sql<AskedRow[]>`
    select a.id, p.email as requester, a.question, a.tool, a.arguments, a.created_at, a.expires_at
    from approvals a join sessions s on s.id = a.session join people p on p.id = s.person
    where a.person = ${options.email} and a.state = 'open' and a.continuation is not null and a.expires_at > ${options.now}
    order by a.created_at limit ${options.limit}`
  return rows.map(({ created_at, expires_at, ...same }) => ({ ...same, createdAt: created_at, expiresAt: expires_at }))
}

/** What an employee waits for: somebody else's decision on a request of theirs. */
export interface AwaitedApproval {
  id: string
  /** Whom it was asked of: an e-mail address. */
  askedOf: string
  question: string
  state: Decided['state']
  /** The request by which the decision entered the conversation; null: not decided, or not kept any more. */
  request: string | null
  expiresAt: Date
}

/** The newest of what was asked of others for this person, decided or not, at most `limit`. */
export async function findAwaited(sql: Sql, identity: string, limit: number): Promise<AwaitedApproval[]> {
  const rows = await sql<(Omit<AwaitedApproval, 'askedOf' | 'expiresAt'> & { person: string; expires_at: Date })[]>`
    select a.id, a.person, a.question, a.state, r.id as request, a.expires_at
    from identities i join sessions s on s.person = i.person join approvals a on a.session = s.id
      left join requests r on r.approval = a.id
    where i.identity = ${identity} and a.continuation is not null
    order by a.created_at desc limit ${limit}`
  return rows.map(({ person, expires_at, ...same }) => ({ ...same, askedOf: person, expiresAt: expires_at }))
}

export type Decision = 'granted' | 'declined' | 'expired'

interface Decided {
  state: 'open' | Decision | 'used'
  requester: string
  identity: string
  channel: string
  target: RequestTarget
  context: Record<string, unknown>
  traceparent: string
}

/**
 * Decides an approval that was asked of somebody else, and puts the decision into the employee's queue as a request of
 * its own, in the caller's transaction. The state before tells what happened: `open` means that this decision counts;
 * anything else that it was decided before. `event` is to be published: the decision's, again too where no queue has
 * seen it, since nobody knows whether the first try got as far as the broker. Null: nobody asks `by` for this approval.
 */
export async function decideApproval(
  sql: Sql,
  options: { id: string; decision: Decision; by: { email: string; caller: string } | 'tick'; now: Date },
): Promise<{ before: Decided['state']; event: Event | null } | null> {
  const { id, decision, by, now } = options
  const [row] = await sql<Decided[]>`
    select a.state, p.email as requester, r.identity, r.channel, r.target, r.context, r.traceparent
    from approvals a join sessions s on s.id = a.session join people p on p.id = s.person join requests r on r.id = a.request
    where a.id = ${id} and a.continuation is not null and (${by === 'tick'} or a.person = ${by === 'tick' ? '' : by.email})
    for update of a`
  if (row === undefined) return null
  if (row.state !== 'open') return { before: row.state, event: await findUnqueued(sql, id) }
  const decided = await sql`
    update approvals set state = ${decision}, decided_by = ${by === 'tick' ? 'keeper' : by.email}, decided_at = ${now}
    where id = ${id} and (expires_at > ${now}) = ${decision !== 'expired'}
    returning 1`
  if (decided.length === 0) return { before: decision === 'expired' ? 'open' : 'expired', event: null }

  if (by !== 'tick' && decision !== 'expired') {
    await noteAudit(
      sql,
      { actor: by.email, onBehalfOf: row.requester, action: `approval.${decision}`, subject: id },
      now,
    )
  }
  const request = deterministicId('decision', id)
  const event = requestCreated({
    ...{ id: request, channel: row.channel, person: row.requester, source: by === 'tick' ? '/keeper' : '/ingress' },
    ...{ traceparent: row.traceparent, at: now },
  })
  await acceptRequest(sql, {
    id: request,
    caller: by === 'tick' ? 'keeper' : by.caller,
    speaker: by === 'tick' ? null : by.email,
    identity: row.identity,
    channel: row.channel,
    channelMessage: null,
    idempotencyKey: null,
    bodyHash: '',
    requestType: 'decision',
    content: sentences[decision],
    metadata: {},
    // What the channel needs to answer in the thread of the message that began it.
    context: row.context,
    target: row.target,
    traceparent: row.traceparent,
    event: JSON.stringify(event),
    acceptedAt: now,
    approval: id,
    button: null,
  })
  return { before: 'open', event }
}

/** The event of a decision that no queue has seen; null: it is queued, or there is none. */
async function findUnqueued(sql: Sql, approval: string): Promise<Event | null> {
  const [row] = await sql<{ event: string }[]>`
    select event from requests where approval = ${approval} and state = 'accepted'`
  return row === undefined ? null : (JSON.parse(row.event) as Event)
}

/** How the decision reads in the conversation's history; the flow goes by the approval's state, never by these words. */
const sentences: Record<Decision, string> = {
  granted: 'Approved.',
  declined: 'Declined.',
  expired: 'Not decided in time.',
}

/** Approvals asked of somebody else whose time is over, oldest first, at most `limit`. */
export async function findExpiredApprovals(sql: Sql, now: Date, limit: number, except: string[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from approvals where state = 'open' and continuation is not null and expires_at <= ${now}
      and id <> all(${`{${except.join(',')}}`}::text::uuid[])
    order by expires_at limit ${limit}`
  return rows.map(({ id }) => id)
}

/** Where the flow that waited for a decision goes on; null where there is no such approval. */
export async function findContinuation(sql: Sql, id: string): Promise<{ agent: string; flow: FlowState } | null> {
  const [row] = await sql<{ agent: string; flow: FlowState }[]>`
    select agent, continuation as flow from approvals where id = ${id} and continuation is not null`
  return row ?? null
}
