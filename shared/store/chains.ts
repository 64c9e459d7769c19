import type { Chain, Event } from '../events/event.ts'
import { chainOf } from '../events/event.ts'
import type { Sql } from './connect.ts'

/**
 * The chain in which a turn goes on where no event caused that: in the trace of what the session waits for, or else in
 * that of the turn's request. Its hops begin at none: what is published afresh has all of a broker's budget again.
 */
export async function findChain(sql: Sql, turn: { session: string; request: string }): Promise<Chain> {
  const [row] = await sql<{ pending: string | null; traceparent: string }[]>`
    select s.pending_event as pending, r.traceparent
    from requests r left join sessions s on s.id = ${turn.session}
    where r.id = ${turn.request}`
  const pending = row?.pending ? chainOf(JSON.parse(row.pending) as Event) : null
  const traceparent = pending?.correlation === turn.request ? pending.traceparent : row?.traceparent
  return { correlation: turn.request, traceparent: traceparent ?? '', hops: 0 }
}

/** The event that a session waits for; null where it waits for none. */
export async function findPendingEvent(sql: Sql, session: string): Promise<Event | null> {
  const [row] = await sql<{ pending: string | null }[]>`
    select pending_event as pending from sessions where id = ${session}`
  return row?.pending ? (JSON.parse(row.pending) as Event) : null
}
