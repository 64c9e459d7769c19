import { eventTypes } from '../../shared/events/catalogue.ts'
import { chainOf, type Event } from '../../shared/events/event.ts'
import { nextEvent } from '../../shared/events/next.ts'
import type { Database, Sql } from '../../shared/store/connect.ts'
import {
  findLateTurns,
  findWaitingTurns,
  takeOverdueRequests,
  takeOverdueSessions,
  takeUndelivered,
} from '../../shared/store/overdue.ts'
import { lockSession, setPendingEvent } from '../../shared/store/sessions.ts'
import { findTurnInContext, releaseTurn } from '../../shared/store/turns.ts'
import { failSubject } from './fail-subject.ts'

/** How much one tick does at most of each kind, so that a backlog is worked off rather than multiplied. */
const perTick = 100

/**
 * What a tick finds overdue, and the events to publish for it: lost events go out again as they were stored, waiting
 * turns are released, and a turn past its deadline is closed with an apology.
 */
export async function repair(database: Database, now: Date): Promise<Event[]> {
  const late = await findLateTurns(database, now, perTick)
  const failed = await inTurn(late, (id) => database.begin((sql) => failLate(sql, id, now)))
  const waiting = await findWaitingTurns(database, perTick)
  const released = await inTurn(waiting, (id) => database.begin((sql) => releaseWaiting(sql, id, now)))
  const lost = [
    ...(await takeOverdueRequests(database, now, perTick)),
    ...(await takeOverdueSessions(database, now, perTick)),
    ...(await takeUndelivered(database, now, perTick)),
  ].map(({ event }) => event)
  return [...failed, ...released, ...lost]
}

/** One after the other: a tick may take its time, and must not take every connection. */
async function inTurn(ids: string[], take: (id: string) => Promise<Event | null>): Promise<Event[]> {
  const events: Event[] = []
  for (const id of ids) {
    const event = await take(id)
    if (event !== null) events.push(event)
  }
  return events
}

async function failLate(sql: Sql, id: string, now: Date): Promise<Event | null> {
  const before = await findTurnInContext(sql, id)
  if (before === null) return null
  const session = await lockSession(sql, before.session)
  const turn = await findTurnInContext(sql, id)
  if (turn === null || session?.turn !== id) return null
  const { event } = await failSubject(
    sql,
    { kind: 'turn', session: session.id, turn },
    { code: 'turn.deadline-passed', chain: { correlation: turn.request, traceparent: '', hops: 0 }, now },
  )
  return event
}

/** A released turn runs the same step under a new event: the old one is finished in the agent's inbox. */
async function releaseWaiting(sql: Sql, id: string, now: Date): Promise<Event | null> {
  const before = await findTurnInContext(sql, id)
  if (before === null) return null
  const session = await lockSession(sql, before.session)
  if (session?.turn !== id) return null
  const release = await releaseTurn(sql, id)
  if (release === null) return null
  const event = nextEvent(
    chainOf({ specversion: '1.0', id: before.request, source: '/keeper', type: eventTypes.agentStep }),
    {
      type: eventTypes.agentStep,
      source: '/keeper',
      session: session.id,
      cause: [id, String(release.step), 'release', String(release.count)],
      time: now,
      data: { session_id: session.id, turn_id: id, step: release.step, agent_id: before.agent },
    },
  )
  await setPendingEvent(sql, session.id, event, now)
  return event
}
