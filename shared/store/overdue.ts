import type { Event } from '../events/event.ts'
import type { Sql } from './connect.ts'

/** An event that should have moved something on by now; published again as it was stored. */
export interface Overdue {
  event: Event
}

/**
 * Takes at most `limit` sessions whose pending event is overdue, oldest first, and counts the republication: due 2
 * minutes after it was stored, then after 4, 8, …, so that a backlog is not multiplied. A session whose event is being
 * worked on right now is left alone.
 */
export async function takeOverdueSessions(sql: Sql, now: Date, limit: number): Promise<Overdue[]> {
  const rows = await sql<{ event: string }[]>`
    with due as (
      select id, pending_event from sessions s
      where pending_event is not null
        and pending_since + interval '2 minutes' * power(2, least(republished, 10)) <= ${now}
        and not exists (
          select from turns t where t.id = s.turn and t.state = 'waiting')
        and not exists (
          select from inbox i where i.event = (s.pending_event::jsonb ->> 'id') and i.source = (s.pending_event::jsonb ->> 'source')
            and i.state = 'leased' and i.lease_until > now())
      order by pending_since limit ${limit}
      for update skip locked
    )
    update sessions s set republished = republished + 1 from due where s.id = due.id
    returning due.pending_event as event`
  return rows.map(toOverdue)
}

/** Takes at most `limit` accepted requests that no queue has seen in time, by the same doubling interval. */
export async function takeOverdueRequests(sql: Sql, now: Date, limit: number): Promise<Overdue[]> {
  const rows = await sql<{ event: string }[]>`
    with due as (
      select id from requests
      where state = 'accepted' and accepted_at + interval '2 minutes' * power(2, least(republished, 10)) <= ${now}
      order by accepted_at limit ${limit}
      for update skip locked
    )
    update requests r set republished = republished + 1 from due where r.id = due.id
    returning r.event`
  return rows.map(toOverdue)
}

/** Takes at most `limit` closed turns whose answer no channel has delivered in time, by the same doubling interval. */
export async function takeUndelivered(sql: Sql, now: Date, limit: number): Promise<Overdue[]> {
  const rows = await sql<{ event: string }[]>`
    with due as (
      select id from turns
      where finished_at is not null and not delivered
        and finished_at + interval '2 minutes' * power(2, least(republished, 10)) <= ${now}
      order by finished_at limit ${limit}
      for update skip locked
    )
    update turns t set republished = republished + 1 from due where t.id = due.id
    returning t.response as event`
  return rows.map(toOverdue)
}

/** Turns that wait for the model, at most `limit`, the oldest of each tenant first in turn. */
export async function findWaitingTurns(sql: Sql, limit: number): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from (
      select t.id, t.opened_at, row_number() over (partition by s.tenant order by t.opened_at) as place
      from turns t join sessions s on s.id = t.session
      where t.state = 'waiting'
    ) waiting
    order by place, opened_at limit ${limit}`
  return rows.map((row) => row.id)
}

/** Open or waiting turns past their deadline, at most `limit`. */
export async function findLateTurns(sql: Sql, now: Date, limit: number): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from turns where state in ('open', 'waiting') and deadline <= ${now} order by deadline limit ${limit}`
  return rows.map((row) => row.id)
}

function toOverdue(row: { event: string }): Overdue {
  return { event: JSON.parse(row.event) as Event }
}
