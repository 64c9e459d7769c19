import { withdrawApprovals } from './approvals.ts'
import type { Sql } from './connect.ts'
import { lockSession } from './sessions.ts'

/** Finds at most `limit` open sessions whose time is over and in which nothing is under way, the oldest first. */
export async function findExpiredSessions(sql: Sql, now: Date, limit: number, except: string[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from sessions
    where state = 'open' and expires_at <= ${now} and turn is null and pending_event is null
      and id <> all(${`{${except.join(',')}}`}::text::uuid[])
    order by expires_at limit ${limit}`
  return rows.map(({ id }) => id)
}

/** Closes a session whose time is over, with what was never used in it; false where something began meanwhile. */
export async function closeExpiredSession(sql: Sql, id: string, now: Date): Promise<boolean> {
  const session = await lockSession(sql, id)
  if (session === null || session.state !== 'open' || session.turn !== null || session.pending) return false
  await withdrawApprovals(sql, id, 'keeper', now)
  const closed = await sql`
    update sessions set state = 'closed', updated_at = ${now} where id = ${id} and expires_at <= ${now} returning 1`
  return closed.length > 0
}
