import { deleteRows, findExpired } from '../../shared/attachments/rows.ts'
import { toFault } from '../../shared/errors/to-fault.ts'
import { faultPoint } from '../../shared/stage/fault-point.ts'
import type { Database } from '../../shared/store/connect.ts'
import { decideApproval, findExpiredApprovals } from '../../shared/store/decisions.ts'
import { type Retention, retentions } from '../../shared/store/retention.ts'
import { closeExpiredSession, findExpiredSessions } from '../../shared/store/sessions-expiry.ts'
import { commitChore } from './commit-chore.ts'
import type { TickParts } from './run-tick.ts'
import type { Chore, Due } from './work-off.ts'

/** Rows deleted by one statement: few enough that nobody waits for its locks longer than a glance (bench/retention.ts). */
const batch = 50

/** Sessions whose time is over and in which nothing is under way. */
export function expiredSessions({ database, now }: TickParts): Chore<Due> {
  return {
    name: 'expired sessions',
    find: async (limit, except) => (await findExpiredSessions(database, now(), limit, except)).map((id) => ({ id })),
    settle: ({ id }) => commitChore(database, 'expired sessions', (sql) => closeExpiredSession(sql, id, now())),
  }
}

/** Decisions that nobody made in time: the flow that waits goes on without. */
export function expiredApprovals({ database, publish, now }: TickParts): Chore<Due> {
  return {
    name: 'expired approvals',
    find: async (limit, except) => (await findExpiredApprovals(database, now(), limit, except)).map((id) => ({ id })),
    settle: async ({ id }) => {
      const decided = await commitChore(database, 'expired approvals', (sql) =>
        decideApproval(sql, { id, decision: 'expired', by: 'tick', now: now() }),
      )
      if (decided?.event) await publish(decided.event)
      return decided?.event != null
    },
  }
}

/** Batches of one tick at most: what its time allows. */
const mostBatches = 10_000

/**
 * What is older than it is kept: one batch is one item, so that a tick's limits hold for deletions too. The kinds take
 * turns, so that a backlog of one does not keep the others.
 */
export function oldRows({ database, now }: TickParts): Chore<Due & { retention: Retention }> {
  let round: Retention[] = []
  let next = [...retentions]
  let deletedInRound = 1
  let number = 0
  return {
    name: 'old rows',
    most: async () => mostBatches,
    find: async () => {
      if (round.length === 0 && deletedInRound > 0) {
        round = next
        next = []
        deletedInRound = 0
      }
      const retention = round.shift()
      number += 1
      return retention === undefined ? [] : [{ id: `${retention.name} ${number}`, retention }]
    },
    // What fails has had its turn.
    settle: async ({ retention }) => {
      const deleted = await deleteBatch(database, retention, now())
      deletedInRound += deleted
      if (deleted === batch || retention.waitsForOthers) next.push(retention)
      return true
    },
  }
}

/** Objects deleted at once by one item: few enough that a slow store costs less time than a tick's lease lasts. */
const objectBatch = 10

/**
 * Attachments whose time is over: the object first, then its row, so that no object is ever left without one. What
 * cannot be deleted now is left to a later tick, and keeps nothing else.
 */
export function expiredAttachments(
  { database, now }: TickParts,
  deleteObject: (key: string) => Promise<void>,
): Chore<Due & { attachments: Expired[] }> {
  const failed: string[] = []
  let storeIsAway = false
  return {
    name: 'expired attachments',
    find: async () => {
      if (storeIsAway) return []
      const attachments = await findExpired(database, { now: now(), limit: objectBatch, except: failed })
      const [first] = attachments
      return first === undefined ? [] : [{ id: first.id, attachments }]
    },
    settle: async ({ attachments }) => {
      const results = await Promise.allSettled(attachments.map(({ object }) => deleteObject(object)))
      const gone = attachments.filter((_, index) => results[index]?.status === 'fulfilled').map(({ id }) => id)
      failed.push(...attachments.map(({ id }) => id).filter((id) => !gone.includes(id)))
      await deleteRows(database, gone)
      const refused = results.find((result) => result.status === 'rejected')
      if (refused === undefined) return true
      const fault = toFault(refused.reason)
      // Each further try would wait for it as long; an object that is refused says nothing about the next.
      storeIsAway = gone.length === 0 && fault.code === 'attachment.store-unavailable'
      throw fault
    },
  }
}

type Expired = Awaited<ReturnType<typeof findExpired>>[number]

/** One statement, which is its own transaction. */
async function deleteBatch(database: Database, retention: Retention, now: Date): Promise<number> {
  const before = new Date(now.getTime() - retention.days * 86_400_000)
  await faultPoint('keeper: before old rows')
  const deleted = await retention.deleteSome(database, before, batch)
  await faultPoint('keeper: after old rows')
  return deleted
}
