import type { Offer } from '../flow/index.ts'
import type { Sql, Transaction } from './connect.ts'

/** The right to send to a target; writes under it count only while the row still has this fence. */
export interface TargetHold {
  target: string
  fence: number
}

/** Takes a target for `leaseMs`; null where somebody else sends to it, who will find what is owed. */
export async function holdTarget(sql: Sql, target: string, leaseMs: number): Promise<TargetHold | null> {
  const [row] = await sql<{ fence: number }[]>`
    update delivery_targets set fence = fence + 1, lease_until = clock_timestamp() + ${leaseMs}::int * interval '1 ms'
    where target = ${target} and (lease_until is null or lease_until < clock_timestamp())
    returning fence`
  return row === undefined ? null : { target, fence: row.fence }
}

/** Prolongs it, and locks the row within a transaction; false where somebody else has it by now. */
export async function keepTarget(sql: Sql, hold: TargetHold, leaseMs: number): Promise<boolean> {
  const rows = await sql`
    update delivery_targets set lease_until = clock_timestamp() + ${leaseMs}::int * interval '1 ms'
    where target = ${hold.target} and fence = ${hold.fence} and lease_until is not null
    returning 1`
  return rows.length > 0
}

export async function releaseTarget(sql: Sql, hold: TargetHold): Promise<void> {
  await sql`update delivery_targets set lease_until = null where target = ${hold.target} and fence = ${hold.fence}`
}

/** A delivery in its turn, with all that its sender needs. */
export interface OwedDelivery {
  turn: string
  target: string
  channel: string
  thread: string | null
  person: { id: string; email: string } | null
  content: string
  offer: Offer | null
  origin: { message: string | null; context: Record<string, unknown> } | null
  session: string
  agent: string
  /** Tries before this one. */
  attempts: number
  createdAt: Date
  /** True where an earlier try began and nobody knows how it ended. */
  unsettled: boolean
}

interface Row {
  turn: string
  target: string
  channel: string
  thread: string | null
  person: string | null
  email: string | null
  content: string
  offer: Offer | null
  origin: string | null
  channel_message: string | null
  context: Record<string, unknown> | null
  session: string
  agent: string
  attempts: number
  created_at: Date
  state: 'pending' | 'sending'
  next_try_at: Date | null
}

export type Next =
  | { kind: 'send'; delivery: OwedDelivery }
  | { kind: 'later'; at: Date }
  /** Nothing is owed; the target was released in the same breath, so that what is owed from now on finds it free. */
  | { kind: 'nothing' }
  | { kind: 'lost' }

/** Marks the target's oldest owed delivery as being sent, or says why there is nothing to send now. */
export async function beginDelivery(sql: Transaction, hold: TargetHold, leaseMs: number, now: Date): Promise<Next> {
  if (!(await keepTarget(sql, hold, leaseMs))) return { kind: 'lost' }
  const [row] = await sql<Row[]>`
    select d.turn, d.target, d.channel, d.thread, d.person, p.email, d.content, d.offer, d.origin, r.channel_message,
      r.context, t.session, t.agent, d.attempts, d.created_at, d.state, d.next_try_at
    from deliveries d join turns t on t.id = d.turn
      left join people p on p.id = d.person left join requests r on r.id = d.origin
    where d.target = ${hold.target} and d.state in ('pending', 'sending')
    order by d.place limit 1`
  if (row === undefined) {
    await releaseTarget(sql, hold)
    return { kind: 'nothing' }
  }
  if (row.next_try_at !== null && row.next_try_at > now) return { kind: 'later', at: row.next_try_at }
  await sql`
    update deliveries set state = 'sending', attempts = attempts + 1
    where turn = ${row.turn} and target = ${row.target}`
  return { kind: 'send', delivery: toOwed(row) }
}

function toOwed(row: Row): OwedDelivery {
  const { turn, target, channel, thread, person, email, content, offer, origin, session, agent, attempts } = row
  return {
    ...{ turn, target, channel, thread, content, offer, session, agent, attempts },
    person: person === null || email === null ? null : { id: person, email },
    origin: origin === null ? null : { message: row.channel_message, context: row.context ?? {} },
    createdAt: row.created_at,
    unsettled: row.state === 'sending',
  }
}

/** How a try ended. `unknown` leaves it as it is: whoever is next looks it up, or sends it again. */
export type TryEnd =
  | { kind: 'delivered'; reference: string }
  | { kind: 'again'; at: Date; error: string }
  | { kind: 'unknown'; at: Date; error: string }
  | { kind: 'given-up'; error: string }

/** Stores how a try ended, under the target's lease; false where that was lost: then it stays as unsettled as it is. */
export async function endDelivery(
  sql: Transaction,
  hold: TargetHold,
  delivery: Pick<OwedDelivery, 'turn' | 'target'>,
  options: { end: TryEnd; leaseMs: number; now: Date },
): Promise<boolean> {
  const { end, leaseMs, now } = options
  if (!(await keepTarget(sql, hold, leaseMs))) return false
  const state = { delivered: 'delivered', again: 'pending', unknown: 'sending', 'given-up': 'given-up' }[end.kind]
  await sql`
    update deliveries set state = ${state},
      reference = ${end.kind === 'delivered' ? end.reference : null},
      delivered_at = ${end.kind === 'delivered' ? now : null},
      next_try_at = ${end.kind === 'again' || end.kind === 'unknown' ? end.at : null},
      last_error = ${end.kind === 'delivered' ? null : end.error}
    where turn = ${delivery.turn} and target = ${delivery.target}`
  return true
}
