import { Fault } from '../errors/fault.ts'
import type { Event } from '../events/event.ts'
import type { Sql } from './connect.ts'

/** One event as one consumer took it. */
export interface InboxKey {
  consumer: string
  source: string
  event: string
}

/** A claim of ours: writes under it count only while the row still has this fence. */
export interface Hold extends InboxKey {
  fence: number
}

type Finished = { kind: 'finished'; reply: Event | null }

/** Takes an event inside the caller's transaction. A concurrent taker waits here until that transaction ends. */
export async function take(sql: Sql, key: InboxKey): Promise<{ kind: 'fresh'; hold: Hold } | Finished> {
  const [fresh] = await sql`
    insert into inbox (consumer, source, event, state, finished_at)
    values (${key.consumer}, ${key.source}, ${key.event}, 'finished', now())
    on conflict do nothing
    returning fence`
  if (fresh) return { kind: 'fresh', hold: { ...key, fence: 1 } }
  return { kind: 'finished', reply: await readReply(sql, key) }
}

/**
 * Claims an event for `leaseMs`, or tells that it is finished (with the stored reply) or leased by another, and for how
 * many milliseconds more, unless that one renews its lease.
 */
export async function claim(
  sql: Sql,
  key: InboxKey,
  leaseMs: number,
): Promise<{ kind: 'fresh'; hold: Hold; attempts: number } | { kind: 'leased'; leftMs: number } | Finished> {
  const [row] = await sql<{ fence: number; attempts: number }[]>`
    insert into inbox (consumer, source, event, state, lease_until)
    values (${key.consumer}, ${key.source}, ${key.event}, 'leased', now() + ${leaseMs}::int * interval '1 ms')
    on conflict (consumer, source, event) do update
      set fence = inbox.fence + 1, attempts = inbox.attempts + 1, lease_until = excluded.lease_until
      where inbox.state = 'leased' and inbox.lease_until < now()
    returning fence, attempts`
  if (row) return { kind: 'fresh', hold: { ...key, fence: row.fence }, attempts: row.attempts }
  const [other] = await sql<{ state: 'leased' | 'finished'; reply: string | null; left: number }[]>`
    select state, reply, greatest(ceil(extract(epoch from lease_until - now()) * 1000), 0)::float8 as left from inbox
    where consumer = ${key.consumer} and source = ${key.source} and event = ${key.event}`
  if (other?.state === 'finished') return { kind: 'finished', reply: parseReply(other.reply) }
  return { kind: 'leased', leftMs: other?.left ?? 0 }
}

/** Prolongs our lease; false where somebody else holds the event now. Inside a transaction it also locks the row. */
export async function renew(sql: Sql, hold: Hold, leaseMs: number): Promise<boolean> {
  const rows = await sql`
    update inbox set lease_until = clock_timestamp() + ${leaseMs}::int * interval '1 ms'
    where consumer = ${hold.consumer} and source = ${hold.source} and event = ${hold.event}
      and fence = ${hold.fence} and state = 'leased'
    returning 1`
  return rows.length > 0
}

/** Gives our lease up, so that a retry may begin at once. */
export async function release(sql: Sql, hold: Hold): Promise<void> {
  await sql`
    update inbox set lease_until = now() - interval '1 ms'
    where consumer = ${hold.consumer} and source = ${hold.source} and event = ${hold.event}
      and fence = ${hold.fence} and state = 'leased'`
}

/** Stores the reply in the transaction of the state it belongs to. */
export async function finish(sql: Sql, hold: Hold, reply: Event | null): Promise<void> {
  const rows = await sql`
    update inbox set state = 'finished', reply = ${reply === null ? null : JSON.stringify(reply)},
      finished_at = now(), lease_until = null
    where consumer = ${hold.consumer} and source = ${hold.source} and event = ${hold.event} and fence = ${hold.fence}
    returning 1`
  if (rows.length === 0) throw new Fault('stage.lease-lost', `${hold.consumer} ${hold.event}`)
}

/** What is known of an event at a consumer; null where it never came. */
export async function findInbox(
  sql: Sql,
  key: InboxKey,
): Promise<{ state: 'leased' | 'finished'; leased: boolean; reply: Event | null } | null> {
  const [row] = await sql<{ state: 'leased' | 'finished'; leased: boolean; reply: string | null }[]>`
    select state, coalesce(lease_until > now(), false) as leased, reply from inbox
    where consumer = ${key.consumer} and source = ${key.source} and event = ${key.event}`
  return row ? { state: row.state, leased: row.leased, reply: parseReply(row.reply) } : null
}

async function readReply(sql: Sql, key: InboxKey): Promise<Event | null> {
  return (await findInbox(sql, key))?.reply ?? null
}

function parseReply(reply: string | null): Event | null {
  return reply === null ? null : (JSON.parse(reply) as Event)
}
