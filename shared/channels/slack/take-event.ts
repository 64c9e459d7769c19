import { Fault } from '../../errors/fault.ts'
import { fromMrkdwn } from './mrkdwn.ts'
import type { SlackParts } from './parts.ts'
import { type Message, message, readEventCall } from './payloads.ts'
import { notVerified, tell, tooMany } from './tell.ts'
import { type Place, writeIdentity, writePlace } from './thread.ts'

/** Kinds of messages that people write; every other subtype tells of something (docs.slack.dev/reference/events/message). */
const written = new Set([undefined, 'file_share', 'thread_broadcast', 'me_message'])
/** Faults of a message itself: it comes to nothing however often Slack sends it, so its person is told. */
const ownFaults = {
  'request.too-large': 'That message is longer than I can take. Could you say it in fewer words?',
  'request.malformed': 'I can only read text here. Could you write what you need?',
  // Sent again by Slack it would come in the middle of what is written meanwhile.
  'request.too-many': tooMany,
}

/**
 * Takes a call of the Events API. Slack takes any 2xx for done and sends everything else again, up to three times; a
 * message is known by its own channel and time, so that a second sending, or a mention that also comes as a plain message,
 * is the same one.
 */
export async function takeEvent(parts: SlackParts, body: Uint8Array, signal: AbortSignal): Promise<Response> {
  const call = readEventCall(body)
  if (call.type === 'url_verification')
    return new Response(call.challenge, { headers: { 'content-type': 'text/plain' } })
  if (call.type === 'app_rate_limited') {
    parts.log.error('Slack holds events back: this app gets too many', { team: call.team_id })
    return done()
  }
  const event = message.safeParse(call.event)
  if (event.success) {
    const authorization = call.authorizations?.[0]
    const team = authorization?.team_id ?? call.team_id
    await takeMessage(
      parts,
      { team, bot: authorization?.user_id ?? null, event: event.data, id: call.event_id },
      signal,
    )
  }
  return done()
}

async function takeMessage(
  parts: SlackParts,
  told: { team: string; bot: string | null; event: Message; id: string },
  signal: AbortSignal,
): Promise<void> {
  const { team, bot, event, id } = told
  const { user, channel, ts } = event
  if (user === undefined || user === bot || !isWritten(event)) return
  const place = placeOf(team, event)
  if (!isForUs(event) && !(await hasAskedThere(parts, place, user))) return
  const account = await parts.directory.find(team, user, signal)
  if (account.kind === 'program') return
  if (account.kind === 'unverified') {
    parts.log.info('a message of nobody that is known', { channel: 'slack', why: account.why, event: id })
    return await tell(parts, { place, user, text: await notVerified(parts, { account, team, user }) }, signal)
  }
  try {
    await parts.receive({
      ...{ channel: 'slack', message: `${team}/${channel}/${ts}`, person: account.email },
      ...{ caller: writeIdentity(team, user), own: true, text: fromMrkdwn(event.text ?? '', bot) },
      thread: writePlace(place),
      context: { team, user, channel, ts, event: id },
      ...{ button: null, attachments: [] },
    })
  } catch (error) {
    const code = Fault.is(error) ? error.code : ''
    if (code !== 'request.too-large' && code !== 'request.malformed' && code !== 'request.too-many') throw error
    await tell(parts, { place, user, text: ownFaults[code] }, signal)
  }
}

function isWritten({ subtype, bot_id, app_id, hidden }: Message): boolean {
  return written.has(subtype) && !bot_id && !app_id && hidden !== true
}

/** In a channel an answer opens a thread under its question; direct messages go on as they are. */
function placeOf(team: string, event: Message): Place {
  const direct = event.channel_type === 'im' || event.channel.startsWith('D')
  return { team, channel: event.channel, thread: event.thread_ts ?? (direct ? null : event.ts) }
}

function isForUs({ type, channel, channel_type }: Message): boolean {
  return type === 'app_mention' || channel_type === 'im' || channel.startsWith('D')
}

/** In a thread of a channel, a person who asked there before need not mention the agent again; nobody else is heard. */
async function hasAskedThere(parts: SlackParts, place: Place, user: string): Promise<boolean> {
  if (place.thread === null) return false
  const target = writePlace(place)
  const rows = await parts.database`
    with asker as (
      select p.id, 'email:' || p.email as identity from identities i join people p on p.id = i.person
      where i.identity = ${writeIdentity(place.team, user)})
    select from asker join sessions s on s.person = asker.id join requests r on r.session = s.id
    where r.channel = 'slack' and r.target->>'thread' = ${target}
    union all
    -- What was asked a moment ago is in no session yet.
    select from asker join requests r on r.identity = asker.identity and r.state = 'accepted'
    where r.channel = 'slack' and r.target->>'thread' = ${target}
    limit 1`
  return rows.length > 0
}

function done(): Response {
  return new Response(null, { status: 200 })
}
