import { isReadByAsker } from '../../shared/channels/read-by-asker.ts'
import { Fault } from '../../shared/errors/fault.ts'
import { eventTypes } from '../../shared/events/catalogue.ts'
import type { Event } from '../../shared/events/event.ts'
import { parseData } from '../../shared/events/parse.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { deliverToReader, findTarget } from '../../shared/store/deliveries.ts'
import { findResponse } from '../../shared/store/turns.ts'

/**
 * Delivers a turn's answer to where its message came from. The answer is read from the turn, not from the event: an
 * event names, Postgres says. The API's channels are read by their askers, so storing the answer delivers it.
 * @throws Fault `delivery.channel-unknown`
 */
export async function dispatch(event: Event, sql: Sql, now: Date): Promise<null> {
  if (event.type !== eventTypes.responseReady) throw new Fault('event.unknown-type', event.type)
  const { turn_id } = parseData(event, eventTypes.responseReady)
  const stored = await findResponse(sql, turn_id)
  if (stored === null) return null
  const response = parseData(stored.event, eventTypes.responseReady)
  const target = await findTarget(sql, response.request_id)
  if (target === null) return null
  if (!isReadByAsker(target.channel)) throw new Fault('delivery.channel-unknown', `turn ${turn_id}: ${target.channel}`)
  await deliverToReader(sql, {
    turn: turn_id,
    request: response.request_id,
    target,
    failed: stored.state === 'failed',
    content: response.content,
    response: {
      content: response.content,
      agent_id: response.agent_id,
      metadata: response.metadata,
      processing_time_ms: response.processing_time_ms,
      requires_followup: response.requires_followup,
      followup_actions: response.followup_actions,
    },
    now,
  })
  return null
}
