import { eventTypes } from '../../shared/events/catalogue.ts'
import type { Event } from '../../shared/events/event.ts'
import { nextEvent } from '../../shared/events/next.ts'
import { findChain } from '../../shared/store/chains.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { lockSession, setPendingEvent } from '../../shared/store/sessions.ts'
import { findTurn, releaseTurn } from '../../shared/store/turns.ts'

/** A released turn runs the same step under a new event: the old one is finished in the agent's inbox. */
export async function releaseWaiting(sql: Sql, id: string, now: Date): Promise<Event | null> {
  const before = await findTurn(sql, id)
  const session = before && (await lockSession(sql, before.session))
  const turn = await findTurn(sql, id)
  if (turn === null || session?.turn !== id) return null
  const chain = await findChain(sql, turn)
  const release = await releaseTurn(sql, id)
  if (release === null) return null
  const event = nextEvent(chain, {
    type: eventTypes.agentStep,
    source: '/keeper',
    session: session.id,
    cause: [id, String(release.step), 'release', String(release.count)],
    time: now,
    data: { session_id: session.id, turn_id: id, step: release.step, agent_id: turn.agent },
  })
  await setPendingEvent(sql, session.id, event, now)
  return event
}
