import { Fault } from '../../shared/errors/fault.ts'
import { eventTypes } from '../../shared/events/catalogue.ts'
import { type Chain, chainOf, deterministicId, type Event } from '../../shared/events/event.ts'
import { nextEvent } from '../../shared/events/next.ts'
import { parseData } from '../../shared/events/parse.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { findContinuation } from '../../shared/store/decisions.ts'
import { forget } from '../../shared/store/inbox-forget.ts'
import { headOfQueue, takeMessage } from '../../shared/store/messages.ts'
import { lockSession, type Session, setPendingEvent, setTurn } from '../../shared/store/sessions.ts'
import { findTurn, handOver, insertTurn } from '../../shared/store/turns.ts'

/** A turn must be answered within this time, or a person takes over. */
export const turnDeadlineMs = 15 * 60_000

/**
 * Hops after which a chain of replies starts no further turn: the channel broker gives all of a chain one budget of
 * 255 (knativebrokerttl), and a turn may need a good part of the rest. The tick starts the next turn with a new budget.
 */
export const chainHopLimit = 150

export const routerAgent = 'router'

/**
 * The session's scheduler: starts the turn of a normalized request, the next agent of a hand-off, and the next queued
 * message after an answered turn. It calls no model, and decides everything under the session's lock.
 */
export async function route(event: Event, sql: Sql, now: Date): Promise<Event | null> {
  switch (event.type) {
    case eventTypes.requestNormalized: {
      const { session_id } = parseData(event, eventTypes.requestNormalized)
      const session = await lockSession(sql, session_id)
      if (session === null || session.turn !== null) return null
      return startNextTurn(sql, session, chainOf(event), now)
    }
    case eventTypes.agentHandoff: {
      const data = parseData(event, eventTypes.agentHandoff)
      const session = await lockSession(sql, data.session_id)
      const turn = await findTurn(sql, data.turn_id)
      if (session?.turn !== data.turn_id || turn?.state !== 'open' || turn.step !== data.step) return null
      await handOver(sql, turn.id, data.agent_id)
      const step = stepEvent(chainOf(event), session.id, turn.id, turn.step, data.agent_id, now)
      await setPendingEvent(sql, session.id, step, now)
      return step
    }
    case eventTypes.responseReady: {
      const data = parseData(event, eventTypes.responseReady)
      const session = await lockSession(sql, data.session_id)
      if (session?.turn !== data.turn_id) return null
      const turn = await findTurn(sql, data.turn_id)
      if (turn?.state === 'answered' || turn?.state === 'failed') return endTurn(sql, session, chainOf(event), now)
      // Nobody answered this turn, so nobody of ours sent this. Forgotten, or the answer of that id would count as taken.
      await forget(sql, { consumer: 'route', source: event.source, event: event.id, fence: 1 })
      return null
    }
    default:
      throw new Fault('event.unknown-type', event.type)
  }
}

async function endTurn(sql: Sql, session: Session, chain: Chain, now: Date): Promise<Event | null> {
  if (chain.hops <= chainHopLimit) {
    const next = await startNextTurn(sql, session, chain, now)
    if (next === null) await setTurn(sql, session.id, null, null, now)
    return next
  }
  // The chain has used up its budget: leave the next message as an event that the tick publishes afresh.
  const head = await headOfQueue(sql, session.id)
  const pending =
    head === null
      ? null
      : nextEvent(
          { correlation: head.request, traceparent: head.traceparent, hops: 0 },
          {
            type: eventTypes.requestNormalized,
            source: '/route',
            session: session.id,
            cause: [session.id, String(head.number)],
            time: now,
            data: { session_id: session.id, request_id: head.request, message: head.number },
          },
        )
  await setTurn(sql, session.id, null, pending, now)
  return null
}

async function startNextTurn(sql: Sql, session: Session, chain: Chain, now: Date): Promise<Event | null> {
  const head = await headOfQueue(sql, session.id)
  if (head === null) {
    if (session.turn === null) await setPendingEvent(sql, session.id, null, now)
    return null
  }
  const turn = deterministicId('turn', session.id, String(head.number))
  // A decision takes up the flow that waited for it; the conversation's own place is not touched by such a turn.
  const place = (head.approval === null ? null : await findContinuation(sql, head.approval)) ?? session
  const agent = place.agent ?? routerAgent
  await insertTurn(sql, {
    id: turn,
    session: session.id,
    message: head.number,
    request: head.request,
    agent,
    flow: place.flow,
    openedAt: now,
    deadline: new Date(now.getTime() + turnDeadlineMs),
  })
  await takeMessage(sql, session.id, head.number, turn)
  // The trace and the correlation are the new message's own; only the hop count goes on with the chain.
  const own: Chain = { correlation: head.request, traceparent: head.traceparent, hops: chain.hops }
  const step = stepEvent(own, session.id, turn, 0, agent, now)
  await setTurn(sql, session.id, turn, step, now)
  return step
}

function stepEvent(chain: Chain, session: string, turn: string, step: number, agent: string, now: Date): Event {
  return nextEvent(chain, {
    type: eventTypes.agentStep,
    source: '/route',
    session,
    cause: [turn, String(step), agent],
    time: now,
    data: { session_id: session, turn_id: turn, step, agent_id: agent },
  })
}
