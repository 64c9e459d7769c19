import type { Offer } from '../flow/index.ts'
import type { Sql } from './connect.ts'

/** Where an answer goes: the channel and, where it has them, the thread that the question came from. */
export interface Target {
  channel: string
  thread: string | null
}

/** Where the answer to a request goes. */
export interface RequestTarget extends Target {
  /** Further places that get the answer, too: a webhook that the request names. */
  also?: readonly Target[]
  /** Nobody listens where the request came from: the person is answered on the first of these that they are on. */
  reach?: readonly string[]
}

/** A target in one text: what deliveries are ordered within. */
export function targetKey({ channel, thread }: Target): string {
  return `${channel}:${thread ?? ''}`
}

/** What dispatch needs to know of a request; null where there is none of that id. */
export async function findOrigin(
  sql: Sql,
  request: string,
): Promise<{ target: RequestTarget; identity: string; decided: boolean } | null> {
  const [row] = await sql<{ target: RequestTarget; identity: string; decided: boolean }[]>`
    select target, identity, approval is not null as decided from requests where id = ${request}`
  return row ?? null
}

/** Puts the answer into the request's row, where the API's channels read it from. */
export async function answerRequest(
  sql: Sql,
  answer: { request: string; failed: boolean; response: Record<string, unknown>; now: Date },
): Promise<void> {
  await sql`
    update requests set state = ${answer.failed ? 'failed' : 'answered'}, answered_at = ${answer.now},
      response = ${JSON.stringify(answer.response)}::text::jsonb
    where id = ${answer.request} and state not in ('answered', 'failed')`
}

export interface NewDelivery {
  turn: string
  /** Id of the person who reads it; null where it is read by whoever asked. */
  person: string | null
  target: Target
  content: string
  offer: Offer | null
  /** The request whose message it answers on that very channel; null: a copy, or moved here. */
  origin: string | null
}

/** Notes an answer that its asker fetches: storing it delivers it. False where it was noted before. */
export async function deliverToReader(sql: Sql, delivery: NewDelivery, now: Date): Promise<boolean> {
  const rows = await sql`
    insert into deliveries (turn, target, channel, thread, content, state, attempts, created_at, delivered_at)
    values (${delivery.turn}, ${targetKey(delivery.target)}, ${delivery.target.channel}, ${delivery.target.thread},
      ${delivery.content}, 'delivered', 1, ${now}, ${now})
    on conflict do nothing
    returning 1`
  return rows.length > 0
}

/**
 * Notes that an answer is owed to a target. Locks the target's row: who holds its lease and finds nothing more to send
 * decides so under the same lock, and misses nothing. `givenUp`: why it never can be, noted where it is seen.
 */
export async function oweDelivery(
  sql: Sql,
  delivery: NewDelivery,
  now: Date,
  givenUp: string | null = null,
): Promise<void> {
  const { turn, person, target, content, offer, origin } = delivery
  const key = targetKey(target)
  await sql`
    insert into delivery_targets (target, last_used_at) values (${key}, ${now})
    on conflict (target) do update set last_used_at = excluded.last_used_at`
  await sql`
    insert into deliveries (turn, target, channel, thread, person, content, offer, origin, state, last_error, created_at)
    values (${turn}, ${key}, ${target.channel}, ${target.thread}, ${person}, ${content},
      ${offer === null ? null : JSON.stringify(offer)}::text::jsonb, ${origin}, ${givenUp === null ? 'pending' : 'given-up'}, ${givenUp}, ${now})
    on conflict do nothing`
}

/** Marks a turn as delivered where nothing is owed of it any more: what was given up was moved, or stays visible. */
export async function settleTurn(sql: Sql, turn: string): Promise<void> {
  await sql`
    update turns set delivered = true where id = ${turn} and not exists (
      select from deliveries where turn = ${turn} and state in ('pending', 'sending'))`
}

/** Whether anything is owed to a target. */
export async function isOwed(sql: Sql, target: string): Promise<boolean> {
  const rows = await sql`select 1 from deliveries where target = ${target} and state in ('pending', 'sending') limit 1`
  return rows.length > 0
}

/** Tries again what was given up of a turn. */
export async function reviveDeliveries(sql: Sql, turn: string, now: Date): Promise<boolean> {
  const { count } = await sql`
    update deliveries set state = 'pending', attempts = 0, next_try_at = null, created_at = ${now}
    where turn = ${turn} and state = 'given-up'`
  if (count > 0) await sql`update turns set delivered = false where id = ${turn}`
  return count > 0
}

/** Turns of the same conversation that were answered before this one and of which no delivery is noted yet, in order. */
export async function findUnowed(sql: Sql, turn: string): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select e.id from turns t join turns e on e.session = t.session and e.message < t.message
    where t.id = ${turn} and e.response is not null and not e.delivered
      and not exists (select from deliveries where turn = e.id)
    order by e.message`
  return rows.map(({ id }) => id)
}

/** The targets to which something of this turn is still owed. */
export async function findOwedTargets(sql: Sql, turn: string): Promise<string[]> {
  const rows = await sql<{ target: string }[]>`
    select target from deliveries where turn = ${turn} and state in ('pending', 'sending') order by place`
  return rows.map(({ target }) => target)
}
