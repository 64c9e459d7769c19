import type { Event } from '../events/event.ts'
import type { FlowState } from '../flow/index.ts'
import type { Sql } from './connect.ts'

/** A session as a stage sees it while it holds the row's lock. */
export interface Session {
  id: string
  tenant: string
  person: string
  state: 'open' | 'closed'
  agent: string | null
  flow: FlowState | null
  turn: string | null
  lastMessage: number
  pending: boolean
}

interface Row {
  id: string
  tenant: string
  person: string
  state: 'open' | 'closed'
  agent: string | null
  flow: FlowState | null
  turn: string | null
  last_message: number
  pending: boolean
}

const fromRow = ({ last_message, ...row }: Row): Session => ({ ...row, lastMessage: last_message })

/** Milliseconds from the beginning of its newest turn that a session stays open: two weeks, as the predecessor has it. */
const sessionLifetimeMs = 14 * 24 * 3_600_000

/** Locks a session's row until the transaction ends: everything that law 2 orders is decided under this lock. */
export async function lockSession(sql: Sql, id: string): Promise<Session | null> {
  const [row] = await sql<Row[]>`
    select id, tenant, person, state, agent, flow, turn, last_message, pending_event is not null as pending
    from sessions where id = ${id} for update`
  return row ? fromRow(row) : null
}

/**
 * Locks the person's open session, or opens one. An expired session is closed first; its history stays.
 * Two callers at once get the same session: the partial unique index lets only one insert win.
 */
export async function lockOpenSession(
  sql: Sql,
  options: { person: string; newId: string; now: Date },
): Promise<Session> {
  const { person, newId, now } = options
  await sql`
    update sessions set state = 'closed', updated_at = ${now}
    where person = ${person} and state = 'open' and expires_at <= ${now} and turn is null and pending_event is null`
  await sql`
    insert into sessions (id, person, created_at, updated_at, expires_at)
    values (${newId}, ${person}, ${now}, ${now}, ${expiryFrom(now)})
    on conflict do nothing`
  const [row] = await sql<Row[]>`
    select id, tenant, person, state, agent, flow, turn, last_message, pending_event is not null as pending
    from sessions where person = ${person} and state = 'open' for update`
  if (!row) throw new Error(`no open session for person ${person} after inserting one`)
  return fromRow(row)
}

/** Sets what the session is owed next; the repair tick publishes it again if it gets lost. */
export async function setPendingEvent(sql: Sql, session: string, event: Event | null, now: Date): Promise<void> {
  await sql`
    update sessions set pending_event = ${event === null ? null : JSON.stringify(event)}, pending_since = ${now},
      republished = 0, updated_at = ${now}
    where id = ${session}`
}

/** Makes a turn the session's current one, with the event that moves it on; a turn prolongs the session's time. */
export async function setTurn(
  sql: Sql,
  session: string,
  turn: string | null,
  event: Event | null,
  now: Date,
): Promise<void> {
  await sql`
    update sessions set turn = ${turn}, pending_event = ${event === null ? null : JSON.stringify(event)},
      pending_since = ${now}, republished = 0, updated_at = ${now},
      expires_at = greatest(expires_at, ${turn === null ? null : expiryFrom(now)})
    where id = ${session}`
}

function expiryFrom(now: Date): Date {
  return new Date(now.getTime() + sessionLifetimeMs)
}

/** Stores where the conversation stands: the agent that speaks next and its flow; null is the router's beginning. */
export async function setConversation(
  sql: Sql,
  session: string,
  conversation: { agent: string | null; flow: FlowState | null },
): Promise<void> {
  await sql`
    update sessions set agent = ${conversation.agent},
      flow = ${conversation.flow === null ? null : sql.json({ ...conversation.flow })}
    where id = ${session}`
}

/** Begins the session's token statistics, and with them its budget, at zero again. */
export async function resetUsage(sql: Sql, session: string): Promise<void> {
  await sql`
    update sessions set input_tokens = 0, output_tokens = 0, model_calls = 0,
      max_input_tokens = 0, max_output_tokens = 0, max_total_tokens = 0
    where id = ${session}`
}
