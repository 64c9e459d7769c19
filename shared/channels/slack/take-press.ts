import { Fault } from '../../errors/fault.ts'
import { giveFeedback } from '../../store/feedback.ts'
import type { Received } from '../receive.ts'
import { addressee, note, type Press, type SlackBlock } from './blocks.ts'
import type { SlackParts } from './parts.ts'
import { type Pressed, readInteraction } from './payloads.ts'
import { notVerified, tell, tooMany } from './tell.ts'
import { type Place, writeIdentity, writePlace } from './thread.ts'

/**
 * Takes a press on one of our buttons. What a button carries is what we wrote into it, but it is no authority: an approval
 * counts only from the person whom Postgres names for it, and a choice is a message like any other.
 */
export async function takePress(parts: SlackParts, body: Uint8Array, signal: AbortSignal): Promise<Response> {
  const pressed = readInteraction(body)
  if (pressed.type === 'block_actions') await press(parts, pressed, signal)
  return new Response(null, { status: 200 })
}

async function press(parts: SlackParts, pressed: Pressed, signal: AbortSignal): Promise<void> {
  const [action] = pressed.actions
  const team = pressed.team?.id ?? pressed.user.team_id
  const meaning = meaningOf(action?.action_id ?? '')
  if (action?.value === undefined || team === undefined || meaning === null) return
  const { value, block_id, action_id } = action
  const user = pressed.user.id
  const channel = pressed.channel.id
  const { ts } = pressed.message
  const direct = channel.startsWith('D')
  const place: Place = { team, channel, thread: pressed.message.thread_ts ?? (direct ? null : ts) }
  const sayTo = (text: string) => tell(parts, { place, user, text }, signal)
  const account = await parts.directory.find(team, user, signal)
  if (account.kind !== 'person') return await sayTo(await notVerified(parts, { account, team, user }))
  const { email } = account
  if (meaning === 'feedback') {
    const [, side, turn] = /^(good|bad)\/([0-9a-f-]{36})$/.exec(value) ?? []
    const kept =
      turn !== undefined &&
      (await giveFeedback(parts.database, { turn, email, good: side === 'good', now: parts.now() }))
    return await sayTo(kept ? 'Thank you for saying so.' : 'Only whoever asked can say whether an answer helped.')
  }
  if (!block_id.startsWith(`${addressee(email)}/`)) return await sayTo('These buttons are for somebody else.')
  const received = await take(parts, {
    // The same button of the same message is the same press, however often it is pressed.
    ...{ channel: 'slack', message: `${team}/${channel}/${ts}/${action_id}/${user}`, person: email },
    ...{ caller: writeIdentity(team, user), own: true, text: meaning === 'choose' ? value : meaning },
    thread: writePlace(place),
    context: { team, user, channel, ts, action: action_id },
    button: meaning === 'choose' ? null : { approval: value, yes: meaning === 'yes' },
    attachments: [],
  })
  if (received === 'too-many') return await sayTo(tooMany)
  if (received === null) return await sayTo('That button no longer works. Please write what you want instead.')
  const title = meaning === 'choose' ? value : meaning === 'yes' ? 'Yes' : 'No'
  await showPressed(parts, { pressed, text: outcomeOf(received, title) }, signal)
}

async function take(
  parts: SlackParts,
  incoming: Parameters<SlackParts['receive']>[0],
): Promise<Received | 'too-many' | null> {
  try {
    return await parts.receive(incoming)
  } catch (error) {
    if (Fault.is(error) && error.code === 'request.malformed') return null
    if (Fault.is(error) && error.code === 'request.too-many') return 'too-many'
    throw error
  }
}

function outcomeOf(received: Received, title: string): string {
  if (received.kind === 'decided') return received.decision === 'granted' ? 'You approved this.' : 'You declined this.'
  if (received.kind === 'late') return 'This was decided before.'
  return `You chose: ${title}`
}

function meaningOf(action: string): Press | null {
  const [meaning] = /^(choose|yes|no|feedback)(?=-\d+$)/.exec(action) ?? []
  return meaning === 'choose' || meaning === 'yes' || meaning === 'no' || meaning === 'feedback' ? meaning : null
}

/**
 * Puts what was pressed in the place of the buttons. Where that fails they stay, and pressing one again does nothing more.
 * The message's metadata stay when an update has none (docs.slack.dev/reference/methods/chat.update).
 */
async function showPressed(
  parts: SlackParts,
  shown: { pressed: Pressed; text: string },
  signal: AbortSignal,
): Promise<void> {
  const { channel, message } = shown.pressed
  const kept: SlackBlock[] = (message.blocks ?? []).filter(({ type }) => type !== 'actions')
  const body = {
    channel: channel.id,
    ts: message.ts,
    text: message.text ?? shown.text,
    blocks: [...kept, note(shown.text)],
  }
  try {
    const answer = await parts.client.call('chat.update', body, signal)
    if (!answer.ok) parts.log.warn('buttons stay on Slack', { channel: channel.id, error: answer.error })
  } catch (error) {
    parts.log.warn('buttons stay on Slack', { channel: channel.id, error })
  }
}
