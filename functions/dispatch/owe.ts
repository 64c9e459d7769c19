import { isReadByAsker } from '../../shared/channels/read-by-asker.ts'
import type { Senders } from '../../shared/channels/senders.ts'
import { eventTypes } from '../../shared/events/catalogue.ts'
import type { Event } from '../../shared/events/event.ts'
import { parseData } from '../../shared/events/parse.ts'
import type { Sql } from '../../shared/store/connect.ts'
import {
  answerRequest,
  deliverToReader,
  findOrigin,
  findUnowed,
  type NewDelivery,
  oweDelivery,
  settleTurn,
  type Target,
} from '../../shared/store/deliveries.ts'
import { findAskedOfOthers, findReachable, offerOf, type Reachable } from '../../shared/store/reachable.ts'
import { findResponse } from '../../shared/store/turns.ts'
import { reachOn } from './reach.ts'
import { readOffer } from './read-offer.ts'
import { newsForDesk } from './tell-desk.ts'

/**
 * Notes where a turn's answer goes, after those of the same conversation whose own events come late: what is owed to a
 * place is sent in the order in which it was noted. Answers are read from the turns, not from the event: an event names,
 * Postgres says. False where nobody has answered this turn.
 */
export async function oweAnswer(
  turn: string,
  sql: Sql,
  senders: Senders,
  now: Date,
  desk: Target | null = null,
): Promise<boolean> {
  // What is fetched by its asker has no order of its own.
  const earlier = senders.names.length === 0 ? [] : await findUnowed(sql, turn)
  for (const id of earlier) await oweTurn(id, sql, senders, now, desk)
  return await oweTurn(turn, sql, senders, now, desk)
}

/**
 * To where the message came from (where nobody listens there, to where the person is reached), to the further places
 * that the request names, to the channels where the person wants a copy, to whoever the turn put a question to, and to
 * the desk that takes conversations over, what concerns it.
 */
async function oweTurn(turn: string, sql: Sql, senders: Senders, now: Date, desk: Target | null): Promise<boolean> {
  const stored = await findResponse(sql, turn)
  if (stored === null) return false
  const response = parseData(stored.event, eventTypes.responseReady)
  const { request_id, metadata, content, agent_id, processing_time_ms, requires_followup, followup_actions } = response
  const origin = await findOrigin(sql, request_id)
  if (origin === null) return true
  await answerRequest(sql, {
    ...{ request: request_id, failed: stored.state === 'failed', now },
    response: { content, agent_id, metadata, processing_time_ms, requires_followup, followup_actions },
  })
  const reader = await findReachable(sql, origin.identity)
  const { target } = origin
  const answer = { turn, content, offer: readOffer(metadata), person: reader?.person ?? null, target }
  const own = { ...answer, origin: request_id }
  const reached = target.reach === undefined ? null : reachOn(senders, target.reach, reader?.identities ?? [])
  if (reached !== null) await oweDelivery(sql, { ...answer, target: reached, origin: null }, now)
  else if (isReadByAsker(target.channel) || target.reach !== undefined) await deliverToReader(sql, own, now)
  else if (senders.names.includes(target.channel)) await oweDelivery(sql, own, now)
  else await oweElsewhere(sql, senders, { own, reader, now })
  for (const place of target.also ?? []) {
    // Not the person's own: what cannot be delivered there falls back to nowhere.
    await oweDelivery(sql, { ...own, person: null, target: place }, now)
  }
  for (const channel of reader?.copies ?? []) {
    const copy = channel === target.channel ? null : reachOn(senders, [channel], reader?.identities ?? [])
    if (copy !== null) await oweDelivery(sql, { ...answer, target: copy, origin: null }, now)
  }
  for (const question of await questionsToOthers(sql, senders, turn)) await oweDelivery(sql, question, now)
  const news = desk !== null && senders.names.includes(desk.channel) ? await newsForDesk(sql, turn, desk) : null
  if (news !== null) await oweDelivery(sql, news, now)
  await settleTurn(sql, turn)
  return true
}

/** The channel was taken out of this deployment: the answer goes to where the person is reached, and is seen as that. */
async function oweElsewhere(
  sql: Sql,
  senders: Senders,
  { own, reader, now }: { own: NewDelivery; reader: Reachable | null; now: Date },
): Promise<void> {
  await oweDelivery(sql, own, now, `this deployment has no channel ${own.target.channel}`)
  const place = reachOn(senders, senders.names, reader?.identities ?? [])
  if (place !== null) await oweDelivery(sql, { ...own, target: place, origin: null }, now)
}

/** What others are to decide goes to where they are reached; nowhere, and it is in their list of approvals. */
async function questionsToOthers(sql: Sql, senders: Senders, turn: string): Promise<NewDelivery[]> {
  if (senders.names.length === 0) return []
  const owed: NewDelivery[] = []
  for (const asked of await findAskedOfOthers(sql, turn)) {
    const decider = await findReachable(sql, `email:${asked.by}`)
    const target = reachOn(senders, senders.names, decider?.identities ?? [`email:${asked.by}`])
    if (target === null) continue
    const content = `${asked.requester} asks for your decision:\n\n${asked.question}`
    owed.push({ turn, person: decider?.person ?? null, target, content, offer: offerOf(asked), origin: null })
  }
  return owed
}

/** The turn whose answer an event announces. */
export function answeredTurn(event: Event): string {
  return parseData(event, eventTypes.responseReady).turn_id
}
