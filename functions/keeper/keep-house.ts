import type { Database } from '../../shared/store/connect.ts'
import { decideApproval, findExpiredApprovals } from '../../shared/store/decisions.ts'
import { type Retention, retentions } from '../../shared/store/retention.ts'
import { closeExpiredSession, findExpiredSessions } from '../../shared/store/sessions-expiry.ts'
import type { TickParts } from './run-tick.ts'
import type { Chore, Due } from './work-off.ts'

/** Rows deleted by one statement: few enough that nobody waits for its locks longer than a glance. */
const batch = 200

/** Sessions whose time is over and in which nothing is under way. */
export function expiredSessions({ database, now }: TickParts): Chore<Due> {
  return {
    name: 'expired sessions',
    find: async (limit, except) => (await findExpiredSessions(database, now(), limit, except)).map((id) => ({ id })),
    settle: ({ id }) => database.begin((sql) => closeExpiredSession(sql, id, now())),
  }
}

/** Decisions that nobody made in time: the flow that waits goes on without. */
export function expiredApprovals({ database, publish, now }: TickParts): Chore<Due> {
  return {
    name: 'expired approvals',
    find: async (limit, except) => (await findExpiredApprovals(database, now(), limit, except)).map((id) => ({ id })),
    settle: async ({ id }) => {
      const decided = await database.begin((sql) =>
        decideApproval(sql, { id, decision: 'expired', by: 'tick', now: now() }),
      )
      if (decided?.event) await publish(decided.event)
      return decided?.event != null
    },
  }
}

/** What is older than it is kept: one batch is one item, so that a tick's limits hold for deletions too. */
export function oldRows({ database, now }: TickParts): Chore<Due & { retention: Retention }> {
  let next = 0
  return {
    name: 'old rows',
    // A kind that gave a full batch may have more; the next one comes once it gives less, or fails.
    find: async () => {
      const retention = retentions[next]
      return retention === undefined ? [] : [{ id: retention.name, retention }]
    },
    settle: async ({ retention }) => {
      next += 1
      const deleted = await deleteBatch(database, retention, now())
      if (deleted === batch) next -= 1
      return true
    },
  }
}

function deleteBatch(database: Database, retention: Retention, now: Date): Promise<number> {
  const before = new Date(now.getTime() - retention.days * 86_400_000)
  return retention.deleteSome(database, before, batch)
}
