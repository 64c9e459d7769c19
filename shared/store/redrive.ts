import { eventTypes } from '../events/catalogue.ts'
import { deterministicId, type Event } from '../events/event.ts'
import { requestCreated } from '../events/request-created.ts'
import type { Sql } from './connect.ts'
import type { DeadLetterOutcome } from './dead-letters.ts'
import type { RequestTarget } from './deliveries.ts'
import { reviveDeliveries } from './deliveries.ts'
import { acceptRequest } from './requests.ts'

export type DeadLetterState = 'stored' | 'redriven' | 'discarded'

/** A dead letter as a list shows it. */
export interface DeadLetter {
  id: string
  eventType: string
  /** URL of the subscriber that refused the event. */
  failedAt: string | null
  /** HTTP status and body that it answered with, as the broker told. */
  errorCode: number | null
  errorData: string | null
  outcome: DeadLetterOutcome
  state: DeadLetterState
  session: string | null
  turn: string | null
  receivedAt: Date
  decidedBy: string | null
  decidedAt: Date | null
  /** The new request that its words were redriven as. */
  redrivenAs: string | null
}

interface Row {
  id: string
  event_type: string
  failed_at: string | null
  error_code: number | null
  error_data: string | null
  outcome: DeadLetterOutcome
  state: DeadLetterState
  session: string | null
  turn: string | null
  received_at: Date
  decided_by: string | null
  decided_at: Date | null
  redriven_as: string | null
}

const fromRow = (row: Row): DeadLetter => ({
  id: row.id,
  eventType: row.event_type,
  failedAt: row.failed_at,
  errorCode: row.error_code,
  errorData: row.error_data,
  outcome: row.outcome,
  state: row.state,
  session: row.session,
  turn: row.turn,
  receivedAt: row.received_at,
  decidedBy: row.decided_by,
  decidedAt: row.decided_at,
  redrivenAs: row.redriven_as,
})

/** Dead letters of one state, oldest first, after the one of id `after`, at most `limit`. */
export async function listDeadLetters(
  sql: Sql,
  page: { state: DeadLetterState; after: string | null; limit: number },
): Promise<DeadLetter[]> {
  const rows = await sql<Row[]>`
    select id, event_type, failed_at, error_code, error_data, outcome, state, session, turn, received_at, decided_by,
      decided_at, redriven_as
    from dead_letters
    where state = ${page.state} and (${page.after}::uuid is null
      or (received_at, id) > (select received_at, id from dead_letters where id = ${page.after}::uuid))
    order by received_at, id limit ${page.limit}`
  return rows.map(fromRow)
}

/** Those of the ids that are dead letters', oldest first: the order in which they are to be redriven. */
export async function oldestFirst(sql: Sql, ids: string[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from dead_letters where id = any(${`{${ids.join(',')}}`}::text::uuid[]) order by received_at, id`
  return rows.map(({ id }) => id)
}

/** What a turn did before it was given up: one line a step. */
export interface StepTaken {
  number: number
  agent: string
  name: string
  kind: string
  finishedAt: Date
}

/** A dead letter with its event and the steps that its turn had taken; null where there is none of this id. */
export async function findDeadLetter(
  sql: Sql,
  id: string,
): Promise<{ letter: DeadLetter; event: Event; steps: StepTaken[] } | null> {
  const [row] = await sql<(Row & { event: string })[]>`
    select id, event, event_type, failed_at, error_code, error_data, outcome, state, session, turn, received_at,
      decided_by, decided_at, redriven_as
    from dead_letters where id = ${id}`
  if (row === undefined) return null
  const steps = await sql<{ number: number; agent: string; name: string; kind: string; finished_at: Date }[]>`
    select number, agent, name, kind, finished_at from steps where turn = ${row.turn} order by number`
  return {
    letter: fromRow(row),
    event: JSON.parse(row.event) as Event,
    steps: steps.map(({ finished_at, ...step }) => ({ ...step, finishedAt: finished_at })),
  }
}

export type Redriven =
  /**
   * The stored event is to be published again, as it was: whoever finished it meanwhile answers from its inbox. The
   * letter counts as redriven once `markRedriven` says that the broker has it.
   */
  | { kind: 'event'; event: Event; outcome: DeadLetterOutcome }
  /**
   * The turn was closed with an apology: its words come again, once, as a new message at the end of the queue. A letter
   * that came back after that, and another of the same turn, get the same message. The letter is redriven, and the
   * request's event is published now or, failing that, by the repair tick.
   */
  | { kind: 'message'; request: string; event: Event }
  /** What its turn was about has been deleted since: nothing can be said again. */
  | { kind: 'gone' }
  | { kind: 'decided'; state: Exclude<DeadLetterState, 'stored'> }

/**
 * Redrives a dead letter once, in the caller's transaction; the caller publishes the event. Null where there is none of
 * this id. The words of a redriven message are the employee's, but the operator says them: they confirm nothing.
 */
export async function redriveDeadLetter(
  sql: Sql,
  options: { id: string; by: string; now: Date },
): Promise<Redriven | null> {
  const { id } = options
  const [row] = await sql<{ event: string; state: DeadLetterState; outcome: DeadLetterOutcome; turn: string | null }[]>`
    select event, state, outcome, turn from dead_letters where id = ${id} for update`
  if (row === undefined) return null
  if (row.state !== 'stored') return { kind: 'decided', state: row.state }
  const event = JSON.parse(row.event) as Event
  // What could not be delivered was answered all the same, be it with an apology: its delivery goes on.
  if (event.type === eventTypes.responseReady) {
    if (row.turn !== null) await reviveDeliveries(sql, row.turn, options.now)
    return { kind: 'event', event, outcome: row.outcome }
  }
  const original = await findClosed(sql, row.turn, event)
  if (original === null) {
    return row.outcome === 'closed' ? { kind: 'gone' } : { kind: 'event', event, outcome: row.outcome }
  }
  const again = await sayAgain(sql, original, options)
  await markRedriven(sql, { ...options, as: again.request, outcome: row.outcome })
  return { kind: 'message', ...again }
}

/**
 * Marks a letter as redriven; `as` is the request that its words became, null where its event went out again. Nothing
 * is marked where more became of the letter than `outcome`: the event has come back already.
 */
export async function markRedriven(
  sql: Sql,
  options: { id: string; by: string; now: Date; as: string | null; outcome: DeadLetterOutcome },
): Promise<void> {
  await sql`
    update dead_letters set state = 'redriven', decided_by = ${options.by}, decided_at = ${options.now},
      redriven_as = ${options.as}
    where id = ${options.id} and state = 'stored' and outcome = ${options.outcome}`
}

/** Puts a dead letter away for good. The state it had before tells whether this did it; null: none of this id. */
export async function discardDeadLetter(
  sql: Sql,
  options: { id: string; by: string; now: Date },
): Promise<DeadLetterState | null> {
  const [row] = await sql<{ state: DeadLetterState }[]>`
    select state from dead_letters where id = ${options.id} for update`
  if (row?.state === 'stored') {
    await sql`
      update dead_letters set state = 'discarded', decided_by = ${options.by}, decided_at = ${options.now}
      where id = ${options.id}`
  }
  return row?.state ?? null
}

interface Closed {
  id: string
  approval: string | null
  identity: string
  channel: string
  content: string
  request_type: string
  metadata: Record<string, unknown>
  context: Record<string, unknown>
  target: RequestTarget
  traceparent: string
}

/** The request whose turn, or which itself, was closed with an apology, whenever that was. */
async function findClosed(sql: Sql, turn: string | null, event: Event): Promise<Closed | null> {
  const correlation = typeof event['correlationid'] === 'string' ? event['correlationid'] : ''
  const [row] = await sql<Closed[]>`
    select id, approval, identity, channel, content, request_type, metadata, context, target, traceparent from requests
    where id::text = coalesce((select request::text from turns where id = ${turn}), ${correlation})
      and (state = 'failed' or exists (
        select from turns where session = requests.session and message = requests.message and state = 'failed'))`
  return row ?? null
}

async function sayAgain(
  sql: Sql,
  original: Closed,
  options: { by: string; now: Date },
): Promise<{ request: string; event: Event }> {
  const request = deterministicId('redrive', original.id)
  // A decision enters the queue once, and from now on that is this time.
  if (original.approval !== null) await sql`update requests set approval = null where id = ${original.id}`
  const person = original.identity.slice(original.identity.indexOf(':') + 1)
  const event = requestCreated({
    ...{ id: request, channel: original.channel, person, source: '/ingress' },
    ...{ traceparent: original.traceparent, at: options.now },
  })
  const acceptance = await acceptRequest(sql, {
    id: request,
    caller: options.by,
    speaker: null,
    identity: original.identity,
    channel: original.channel,
    channelMessage: null,
    idempotencyKey: null,
    bodyHash: '',
    requestType: original.request_type,
    content: original.content,
    metadata: original.metadata,
    context: original.context,
    target: original.target,
    traceparent: original.traceparent,
    event: JSON.stringify(event),
    acceptedAt: options.now,
    approval: original.approval,
    button: null,
  })
  if (acceptance.outcome === 'created') return { request, event }
  return { request: acceptance.request.id, event: JSON.parse(acceptance.request.event) as Event }
}
