import type { Sql } from './connect.ts'

/**
 * True while a live handler of the agent, the only stage with leases, holds the event that a session waits for. By
 * Postgres' clock, as leases are.
 */
export async function isHeld(sql: Sql, session: string): Promise<boolean> {
  const rows = await sql`
    select 1 from sessions s join inbox i
      on i.consumer = 'agent' and i.source = (s.pending_event::jsonb ->> 'source')
        and i.event = (s.pending_event::jsonb ->> 'id')
    where s.id = ${session} and i.state = 'leased' and i.lease_until > now()`
  return rows.length > 0
}

/** A write that was begun, and of which nobody recorded how it ended. */
export interface OpenWrite {
  approval: string
  /** The moment after which the tool does not begin it any more. */
  notAfter: Date
}

/** The open writes of a turn: its own, and that of the approval it stands at, which an earlier turn may have begun. */
export async function findOpenWrites(sql: Sql, turn: { id: string; approval: string | null }): Promise<OpenWrite[]> {
  const rows = await sql<{ approval: string; not_after: Date }[]>`
    select approval, not_after from tool_calls
    where (turn = ${turn.id} or approval = ${turn.approval}) and state = 'started'
      and approval is not null and not_after is not null`
  return rows.map(({ approval, not_after }) => ({ approval, notAfter: not_after }))
}
