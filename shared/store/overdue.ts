import type { Event } from '../events/event.ts'
import type { Sql } from './connect.ts'

/** An event that should have moved something on by now; published again as it was stored. */
export interface Overdue {
  /** The table and the row that the event is stored with. */
  table: 'sessions' | 'requests' | 'turns'
  id: string
  event: Event
  /** When it was stored, and for how many intervals since then it has been published again. */
  since: Date
  republished: number
}

interface Row {
  id: string
  event: string
  since: Date
  republished: number
}

/** Where each table keeps it. */
const columns = { sessions: 'pending_event', requests: 'event', turns: 'response' }

/** Milliseconds until an event is overdue for the first time; then after twice, four times, … as long. */
const firstMs = 120_000

/** Doublings that an interval of Postgres is asked to hold: two minutes become four years. */
const mostDoublings = 20

/**
 * Finds at most `limit` sessions whose pending event is overdue, oldest first: due 2 minutes after it was stored, then
 * after 4, 8, …, so that a backlog is not multiplied. A session whose event is being worked on right now is left alone.
 */
export async function findOverdueSessions(sql: Sql, now: Date, limit: number, except: string[]): Promise<Overdue[]> {
  const rows = await sql<Row[]>`
    select id, pending_event as event, pending_since as since, republished from sessions s
    where pending_event is not null and id <> all(${uuids(except)}::text::uuid[])
      and pending_since + ${firstMs}::int * interval '1 ms' * power(2, least(republished, ${mostDoublings}::int)) <= ${now}
      and not exists (
        select from turns t where t.id = s.turn and t.state = 'waiting')
      and not exists (
        -- Only the agent works under a lease: the others take an event and end it in one transaction.
        select from inbox i where i.consumer = 'agent'
          and i.source = (s.pending_event::jsonb ->> 'source') and i.event = (s.pending_event::jsonb ->> 'id')
          and i.state = 'leased' and i.lease_until > now())
    order by pending_since limit ${limit}`
  return rows.map((row) => toOverdue('sessions', row))
}

/** Finds at most `limit` accepted requests that no queue has seen in time, by the same doubling interval. */
export async function findOverdueRequests(sql: Sql, now: Date, limit: number, except: string[]): Promise<Overdue[]> {
  const rows = await sql<Row[]>`
    select id, event, accepted_at as since, republished from requests
    where state = 'accepted' and id <> all(${uuids(except)}::text::uuid[])
      and accepted_at + ${firstMs}::int * interval '1 ms' * power(2, least(republished, ${mostDoublings}::int)) <= ${now}
    order by accepted_at limit ${limit}`
  return rows.map((row) => toOverdue('requests', row))
}

/** Finds at most `limit` closed turns whose answer no channel has delivered in time, by the same doubling interval. */
export async function findUndelivered(sql: Sql, now: Date, limit: number, except: string[]): Promise<Overdue[]> {
  const rows = await sql<Row[]>`
    select id, response as event, finished_at as since, republished from turns
    where finished_at is not null and not delivered and id <> all(${uuids(except)}::text::uuid[])
      and finished_at + ${firstMs}::int * interval '1 ms' * power(2, least(republished, ${mostDoublings}::int)) <= ${now}
    order by finished_at limit ${limit}`
  return rows.map((row) => toOverdue('turns', row))
}

/**
 * Notes that an overdue event was published again: it is due next at the end of the interval in which `now` lies, also
 * where several have passed unused. Changes nothing where the row has another event by now, or was counted meanwhile.
 */
export async function countRepublished(sql: Sql, overdue: Overdue, now: Date): Promise<void> {
  const { table, id, event, since, republished } = overdue
  const passed = Math.floor(Math.log2(Math.max(now.getTime() - since.getTime(), firstMs) / firstMs)) + 1
  await sql`
    update ${sql(table)} set republished = ${Math.max(republished + 1, passed)}
    where id = ${id} and republished = ${republished} and ${sql(columns[table])}::jsonb ->> 'id' = ${event.id}`
}

/** Turns that wait for the model and are in time, at most `limit`, the oldest of each tenant first in turn. */
export async function findWaitingTurns(sql: Sql, now: Date, limit: number, except: string[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from (
      select t.id, t.opened_at, row_number() over (partition by s.tenant order by t.opened_at) as place
      from turns t join sessions s on s.id = t.session
      where t.state = 'waiting' and t.deadline > ${now} and t.id <> all(${uuids(except)}::text::uuid[])
    ) waiting
    order by place, opened_at limit ${limit}`
  return rows.map((row) => row.id)
}

/** True where a step has had an answer of the model since then. */
export async function hasModelAnswered(sql: Sql, since: Date): Promise<boolean> {
  const rows = await sql`select from steps where prompt_hash is not null and finished_at > ${since} limit 1`
  return rows.length > 0
}

/** Open or waiting turns past their deadline, at most `limit`. */
export async function findLateTurns(sql: Sql, now: Date, limit: number, except: string[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from turns
    where state in ('open', 'waiting') and deadline <= ${now} and id <> all(${uuids(except)}::text::uuid[])
    order by deadline limit ${limit}`
  return rows.map((row) => row.id)
}

function toOverdue(table: Overdue['table'], row: Row): Overdue {
  return { ...row, table, event: JSON.parse(row.event) as Event }
}

function uuids(ids: string[]): string {
  return `{${ids.join(',')}}`
}
