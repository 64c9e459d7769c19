import * as z from 'zod/mini'
import { Fault } from '../../errors/fault.ts'
import type { Environment, Outgoing, Sender, SenderParts } from '../channel.ts'
import { longestMessage, type SlackMessage, toMessages } from './blocks.ts'
import { openClient, type SlackClient } from './client.ts'
import { readSlackAccess } from './settings.ts'
import { type Place, readPlace } from './thread.ts'

/** What our messages carry, which Slack gives back and nobody sees: a delivery's id and which of its parts it is. */
const eventType = 'answer_delivered'
const page = z.object({
  messages: z.optional(
    z.array(
      z.object({
        ts: z.string(),
        metadata: z.optional(z.object({ event_type: z.string(), event_payload: z.record(z.string(), z.unknown()) })),
      }),
    ),
  ),
  response_metadata: z.optional(z.object({ next_cursor: z.optional(z.string()) })),
})
/** Pages of messages that are looked through for an earlier try; and how far back, in seconds: as long as one is tried. */
const [mostPages, pageSize, furthest] = [20, 100, 25 * 3_600]

/** Opens what answers on Slack: in the thread that the message came from, or in somebody's direct messages. */
export async function openSlackSender(environment: Environment, parts: SenderParts): Promise<Sender> {
  const client = openClient(readSlackAccess(environment), parts.fetch)
  return {
    capabilities: { buttons: true, threads: true, longest: longestMessage, markup: 'mrkdwn' },
    async send(outgoing, signal) {
      const place = await settle(client, outgoing, signal)
      return await post(client, { outgoing, place, sent: new Map() }, signal)
    },
    async find(outgoing, signal) {
      const place = await settle(client, outgoing, signal)
      const sent = await lookUp(client, { outgoing, place, now: parts.now() }, signal)
      // A try that was killed between two parts is finished: its first must not come again.
      return sent.size === 0 ? null : await post(client, { outgoing, place, sent }, signal)
    },
  }
}

/** The conversation that is meant: a user's direct messages have an id of their own. */
async function settle(client: SlackClient, { thread }: Outgoing, signal: AbortSignal): Promise<Place> {
  const place = readPlace(thread)
  if (place === null) throw new Fault('delivery.refused', 'slack: this is no place on Slack')
  if (!/^[UW]/.test(place.channel)) return place
  const { channel } = await ask(client, 'conversations.open', { users: place.channel }, signal)
  const { id } = z.object({ id: z.string() }).parse(channel)
  return { ...place, channel: id }
}

/** Posts the parts that are not there yet, in their order; the last one's place is the reference. */
async function post(
  client: SlackClient,
  job: { outgoing: Outgoing; place: Place; sent: Map<number, string> },
  signal: AbortSignal,
): Promise<string> {
  const { outgoing, place, sent } = job
  const messages = toMessages(outgoing)
  if (messages.length === 0) throw new Fault('delivery.refused', 'slack: there is nothing to read in the answer')
  let last = ''
  for (const [part, message] of messages.entries()) {
    const known = sent.get(part)
    last =
      known ??
      (await postPart(client, { outgoing, place, message, part, first: sent.size === 0 && part === 0 }, signal))
  }
  return `${place.channel}/${last}`
}

async function postPart(
  client: SlackClient,
  job: { outgoing: Outgoing; place: Place; message: SlackMessage; part: number; first: boolean },
  signal: AbortSignal,
): Promise<string> {
  const { outgoing, place, message, part, first } = job
  const body = {
    channel: place.channel,
    ...(place.thread !== null && { thread_ts: place.thread }),
    ...message,
    // What a link's owner wrote would stand in our message; and fetching it would tell them of the conversation.
    unfurl_links: false,
    unfurl_media: false,
    metadata: { event_type: eventType, event_payload: { delivery: outgoing.id, part } },
  }
  try {
    return z.string().parse((await ask(client, 'chat.postMessage', body, signal))['ts'])
  } catch (error) {
    // Once a part is there, a new try has to look first; `unknown` says so.
    if (first || !Fault.is(error) || error.class !== 'retryable') throw error
    const { retryAfter } = error
    throw new Fault('delivery.unknown', error.message, {
      cause: error,
      ...(retryAfter !== undefined && { retryAfter }),
    })
  }
}

/** The parts of a delivery that are there, by their number. */
async function lookUp(
  client: SlackClient,
  job: { outgoing: Outgoing; place: Place; now: Date },
  signal: AbortSignal,
): Promise<Map<number, string>> {
  const { outgoing, place, now } = job
  const found = new Map<number, string>()
  const method = place.thread === null ? 'conversations.history' : 'conversations.replies'
  let cursor: string | undefined
  for (let read = 0; read < mostPages; read += 1) {
    const body = {
      ...{ channel: place.channel, limit: pageSize, include_all_metadata: true, oldest: oldestOf(outgoing, now) },
      ...(place.thread !== null && { ts: place.thread }),
      ...(cursor !== undefined && { cursor }),
    }
    const { messages = [], response_metadata } = page.parse(await ask(client, method, body, signal))
    for (const { ts, metadata } of messages) {
      if (metadata?.event_type !== eventType || metadata.event_payload['delivery'] !== outgoing.id) continue
      found.set(Number(metadata.event_payload['part']), ts)
    }
    cursor = response_metadata?.next_cursor || undefined
    if (cursor === undefined) return found
  }
  throw new Fault('delivery.unknown', 'slack: too many messages to look through')
}

/** An answer is younger than its question, and than the longest that it is tried. */
function oldestOf({ origin }: Outgoing, now: Date): string {
  const asked = origin?.context['ts']
  const bound = now.getTime() / 1_000 - furthest
  return typeof asked === 'string' && Number(asked) > bound ? asked : bound.toFixed(6)
}

async function ask(
  client: SlackClient,
  method: string,
  body: Record<string, unknown>,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const answer = await client.call(method, body, signal)
  if (!answer.ok) throw new Fault('delivery.refused', `slack: ${method}: ${answer.error}`)
  return answer.data
}
