import { isReadByAsker } from '../../shared/channels/read-by-asker.ts'
import type { Senders } from '../../shared/channels/senders.ts'
import { Fault } from '../../shared/errors/fault.ts'
import { eventTypes, type ResponseReady } from '../../shared/events/catalogue.ts'
import type { Event } from '../../shared/events/event.ts'
import { parseData } from '../../shared/events/parse.ts'
import type { Sql } from '../../shared/store/connect.ts'
import {
  answerRequest,
  deliverToReader,
  findOrigin,
  type NewDelivery,
  oweDelivery,
  settleTurn,
} from '../../shared/store/deliveries.ts'
import { findAskedOfOthers, findReachable, offerOf } from '../../shared/store/reachable.ts'
import { findResponse } from '../../shared/store/turns.ts'
import { reachOn } from './reach.ts'
import { readOffer } from './read-offer.ts'

/**
 * Notes where a turn's answer goes: to where its message came from (where nobody listens there, to where the person is
 * reached), to the further places that the request names, to the channels where the person wants a copy, and to whoever
 * it put a question to. The answer is read from the turn, not from the event: an event names, Postgres says.
 * The API's channels are read by their askers, so storing the answer delivers it; the others are owed it.
 * @throws Fault `delivery.channel-unknown`
 */
export async function oweAnswer(event: Event, sql: Sql, senders: Senders, now: Date): Promise<null> {
  if (event.type !== eventTypes.responseReady) throw new Fault('event.unknown-type', event.type)
  const { turn_id } = parseData(event, eventTypes.responseReady)
  const stored = await findResponse(sql, turn_id)
  if (stored === null) return null
  const response = parseData(stored.event, eventTypes.responseReady)
  const origin = await findOrigin(sql, response.request_id)
  if (origin === null) return null
  const { target } = origin
  await answerRequest(sql, {
    ...{ request: response.request_id, failed: stored.state === 'failed', now },
    response: responseOf(response),
  })
  const answer = { turn: turn_id, content: response.content, offer: readOffer(response.metadata) }
  const reader = await findReachable(sql, origin.identity)
  const person = reader?.person ?? null
  if (target.reach !== undefined) {
    const place = reader === null ? null : await reachOn(senders, target.reach, reader)
    if (place !== null) await oweDelivery(sql, { ...answer, person, target: place, origin: null }, now)
    // Nowhere: it stands in their conversation.
    else await deliverToReader(sql, { ...answer, person, target, origin: response.request_id }, now)
  } else if (isReadByAsker(target.channel)) {
    await deliverToReader(sql, { ...answer, person, target, origin: response.request_id }, now)
  } else {
    if (!senders.names.includes(target.channel)) {
      throw new Fault('delivery.channel-unknown', `turn ${turn_id}: ${target.channel}`)
    }
    await oweDelivery(sql, { ...answer, person, target, origin: response.request_id }, now)
  }
  for (const place of target.also ?? []) {
    // Not the person's own: what cannot be delivered there falls back to nowhere.
    await oweDelivery(sql, { ...answer, person: null, target: place, origin: response.request_id }, now)
  }
  if (reader !== null) {
    for (const channel of reader.copies.filter((name) => name !== target.channel)) {
      const copy = await reachOn(senders, [channel], reader)
      if (copy !== null) await oweDelivery(sql, { ...answer, person, target: copy, origin: null }, now)
    }
  }
  for (const question of await questionsToOthers(sql, senders, turn_id)) await oweDelivery(sql, question, now)
  await settleTurn(sql, turn_id)
  return null
}

/** What others are to decide goes to where they are reached; nowhere, and it is in their list of approvals. */
async function questionsToOthers(sql: Sql, senders: Senders, turn: string): Promise<NewDelivery[]> {
  if (senders.names.length === 0) return []
  const owed: NewDelivery[] = []
  for (const asked of await findAskedOfOthers(sql, turn)) {
    const decider = await findReachable(sql, `email:${asked.by}`)
    const identities = decider?.identities ?? [`email:${asked.by}`]
    const target = await reachOn(senders, senders.names, { identities })
    if (target === null) continue
    const content = `${asked.requester} asks for your decision:\n\n${asked.question}`
    owed.push({ turn, person: decider?.person ?? null, target, content, offer: offerOf(asked), origin: null })
  }
  return owed
}

function responseOf(response: ResponseReady): Record<string, unknown> {
  const { content, agent_id, metadata, processing_time_ms, requires_followup, followup_actions } = response
  return { content, agent_id, metadata, processing_time_ms, requires_followup, followup_actions }
}
