import type { Sql } from './connect.ts'

/** Where an answer goes: the channel and, where it has them, the thread that the question came from. */
export interface Target {
  channel: string
  thread: string | null
}

/** The target of a request; null where there is no such request. */
export async function findTarget(sql: Sql, request: string): Promise<Target | null> {
  const [row] = await sql<{ target: Target }[]>`select target from requests where id = ${request}`
  return row?.target ?? null
}

/**
 * Records an answer as delivered to a target that the asker reads from (the API's channels): the delivery row, the
 * turn's mark, and the answer in the request's row, once. False where it was delivered before.
 */
export async function deliverToReader(
  sql: Sql,
  options: {
    turn: string
    request: string
    target: Target
    failed: boolean
    response: Record<string, unknown>
    content: string
    now: Date
  },
): Promise<boolean> {
  const { turn, target, now } = options
  const rows = await sql`
    insert into deliveries (turn, target, channel, content, state, attempts, created_at, delivered_at)
    values (${turn}, ${`${target.channel}:${target.thread ?? ''}`}, ${target.channel}, ${options.content}, 'delivered', 1,
      ${now}, ${now})
    on conflict do nothing
    returning 1`
  if (rows.length === 0) return false
  await sql`update turns set delivered = true where id = ${turn}`
  await sql`
    update requests set state = ${options.failed ? 'failed' : 'answered'}, answered_at = ${now},
      response = ${JSON.stringify(options.response)}::text::jsonb
    where id = ${options.request}`
  return true
}
