import {
  countRepublished,
  findLateTurns,
  findOverdueRequests,
  findOverdueSessions,
  findUndelivered,
  findWaitingTurns,
  hasModelAnswered,
  type Overdue,
} from '../../shared/store/overdue.ts'
import { commitChore } from './commit-chore.ts'
import { failLate } from './fail-late.ts'
import { expiredApprovals, expiredSessions } from './keep-house.ts'
import { releaseWaiting } from './release-waiting.ts'
import type { TickParts } from './run-tick.ts'
import type { Chore, Due } from './work-off.ts'

/**
 * What the repair tick looks after: a turn past its deadline is closed with an apology, waiting turns are released,
 * what nobody decided or took up in time is ended, and lost events go out again as they were stored.
 */
export function repairChores(parts: TickParts): Chore<Due>[] {
  return [lateTurns(parts), waitingTurns(parts), expiredApprovals(parts), expiredSessions(parts), ...lostEvents(parts)]
}

/** Turns closed by one tick: what a long outage leaves behind, in less than half of a tick's time. */
const mostLate = 1_000

/**
 * Waiting turns that one tick releases: a few, to try a model of which nothing was heard; as many as fit into half of a
 * tick's time once it has answered somebody, since three ticks are all that a turn has.
 */
const mostReleased = { silent: 20, answering: 2_000 }

/** Milliseconds for which an answer of the model is news: from one tick to the next, and a minute for one that is late. */
const newsMs = 6 * 60_000

function lateTurns({ database, publish, now }: TickParts): Chore<Due> {
  return {
    name: 'late turns',
    most: async () => mostLate,
    find: async (limit, except) => (await findLateTurns(database, now(), limit, except)).map((id) => ({ id })),
    settle: async ({ id }) => {
      const { closed, event } = await commitChore(database, 'late turns', (sql) => failLate(sql, id, now()))
      if (event !== null) await publish(event)
      return closed
    },
  }
}

function waitingTurns({ database, publish, now }: TickParts): Chore<Due> {
  return {
    name: 'waiting turns',
    most: async () => {
      const answers = await hasModelAnswered(database, new Date(now().getTime() - newsMs))
      return answers ? mostReleased.answering : mostReleased.silent
    },
    find: async (limit, except) => (await findWaitingTurns(database, now(), limit, except)).map((id) => ({ id })),
    settle: async ({ id }) => {
      const event = await commitChore(database, 'waiting turns', (sql) => releaseWaiting(sql, id, now()))
      if (event !== null) await publish(event)
      return event !== null
    },
  }
}

function lostEvents({ database, publish, now }: TickParts): Chore<Overdue>[] {
  // An answer is what its session waits for until route has taken it: once a tick is enough.
  const sent = new Set<string>()
  // Counted only once the broker has taken it: what it refuses is due again at the tick's next try, and what it took is
  // not, however often the tick is sent. A process that dies in between costs a second copy, which the inbox knows.
  const settle = async (overdue: Overdue) => {
    const { source, id } = overdue.event
    if (!sent.has(`${source} ${id}`)) await publish(overdue.event)
    sent.add(`${source} ${id}`)
    await countRepublished(database, overdue, now())
    return true
  }
  const finds = { requests: findOverdueRequests, sessions: findOverdueSessions, answers: findUndelivered }
  return Object.entries(finds).map(([name, find]) => ({
    name: `lost events of ${name}`,
    find: (limit, except) => find(database, now(), limit, except),
    settle,
  }))
}
