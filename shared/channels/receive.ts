import { createHash } from 'node:crypto'
import { acceptWithAttachments } from '../attachments/rows.ts'
import { Fault } from '../errors/fault.ts'
import type { Event } from '../events/event.ts'
import { requestCreated } from '../events/request-created.ts'
import { parseEmail } from '../identity/email.ts'
import type { Database } from '../store/connect.ts'
import { type Decision, decideApproval } from '../store/decisions.ts'
import type { NewRequest } from '../store/requests.ts'
import type { Log } from '../telemetry/log.ts'
import { beginTrace } from '../telemetry/traceparent.ts'

/** A message of a channel, once the channel has proven who wrote it. */
export interface Incoming {
  channel: string
  /** The channel's own id of the message: a second one of the same id is the same message. */
  message: string
  /** Verified address of the person who wrote it. */
  person: string
  /** Who proved it, for the audit trail: 'slack:T1/U2', 'email:alice@example.com'. */
  caller: string
  /** False where a program speaks for the person: it cannot give their yes. */
  own: boolean
  text: string
  /** Where the answer goes on this channel. */
  thread: string | null
  /** Where nobody listens on this channel: the person is answered on the first of these that they are on. */
  reach?: readonly string[]
  /** The channel's own fields, which its sender gets back with the answer. */
  context: Record<string, unknown>
  /** The approval whose button was pressed, and what the press says; null: the words were typed. */
  button: { approval: string; yes: boolean } | null
  /** Ids of files of this person. */
  attachments: readonly string[]
}

/**
 * `accepted`: it is in the person's queue (or was, by an earlier try). `decided`: it was a second person's decision on
 * somebody else's request, and counts. `late`: that was decided before, or in time by nobody.
 */
export type Received =
  | { kind: 'accepted'; request: string; again: boolean }
  | { kind: 'decided'; decision: Decision }
  | { kind: 'late' }

export interface ReceiveParts {
  database: Database
  publish(event: Event): Promise<void>
  now(): Date
  newId(): string
  randomBytes(count: number): Uint8Array
  log: Log
  /** Bytes of text that one message may have. */
  messageLimit: number
  /** Messages of one person that may wait for their answers on one channel; default: any number. */
  mostWaiting?: number
}

/**
 * Takes a verified message: its row, then its event. Where the broker does not take the event, the row is kept and the
 * repair tick publishes it, so that this counts as accepted.
 * @throws Fault `request.malformed`, `request.too-large`, `request.too-many` (nothing was taken: the channel says so),
 *   `attachment.unusable`, `store.unavailable`
 */
export async function receive(parts: ReceiveParts, incoming: Incoming): Promise<Received> {
  const person = parseEmail(incoming.person)
  if (person === null) throw new Fault('request.malformed', `${incoming.channel}: the sender has no usable address`)
  if (incoming.button !== null) {
    const decided = await decide(parts, person, incoming, incoming.button)
    if (decided !== null) return decided
  }
  const size = Buffer.byteLength(incoming.text)
  if (size > parts.messageLimit) {
    throw new Fault('request.too-large', `the message has ${size} bytes, the limit is ${parts.messageLimit}`)
  }
  if (incoming.text.trim() === '') throw new Fault('request.malformed', 'there is nothing to read in the message')
  const { row, event } = build(parts, person, incoming)
  const acceptance = await acceptWithAttachments(parts.database, row, incoming.attachments, parts.mostWaiting)
  if (acceptance.outcome !== 'created') {
    const { id, state, event: stored } = acceptance.request
    // Nobody knows whether the first try got as far as the broker; the event's id makes a second one harmless.
    if (state === 'accepted') await publish(parts, id, JSON.parse(stored) as Event)
    return { kind: 'accepted', request: id, again: true }
  }
  parts.log.info('request accepted', { request: row.id, channel: row.channel, traceparent: row.traceparent })
  await publish(parts, row.id, event)
  return { kind: 'accepted', request: row.id, again: false }
}

/** A press on the button of somebody else's request; null: the approval is the person's own, and theirs is a message. */
async function decide(
  parts: ReceiveParts,
  person: string,
  incoming: Incoming,
  button: { approval: string; yes: boolean },
): Promise<Received | null> {
  if (!incoming.own) return null
  const decision = button.yes ? 'granted' : 'declined'
  const by = { email: person, caller: incoming.caller }
  const decided = await parts.database.begin((sql) =>
    decideApproval(sql, { id: button.approval, decision, by, now: parts.now() }),
  )
  if (decided === null) return null
  if (decided.event !== null) await publish(parts, button.approval, decided.event)
  const state = decided.before === 'open' ? decision : decided.before === 'used' ? 'granted' : decided.before
  return state === decision ? { kind: 'decided', decision } : { kind: 'late' }
}

function build(parts: ReceiveParts, person: string, incoming: Incoming): { row: NewRequest; event: Event } {
  const [id, at] = [parts.newId(), parts.now()]
  const traceparent = beginTrace(parts.randomBytes)
  const event = requestCreated({ id, channel: incoming.channel, person, source: '/ingress', traceparent, at })
  const row: NewRequest = {
    id,
    caller: incoming.caller,
    speaker: incoming.own ? person : null,
    identity: `email:${person}`,
    channel: incoming.channel,
    channelMessage: incoming.message,
    idempotencyKey: null,
    bodyHash: createHash('sha256').update(incoming.text).digest('hex'),
    requestType: 'message',
    content: incoming.text,
    metadata: {},
    context: incoming.context,
    target: {
      ...{ channel: incoming.channel, thread: incoming.thread },
      ...(incoming.reach === undefined ? {} : { reach: incoming.reach }),
    },
    traceparent,
    event: JSON.stringify(event),
    acceptedAt: at,
    approval: null,
    button: incoming.button?.approval ?? null,
  }
  return { row, event }
}

async function publish(parts: ReceiveParts, id: string, event: Event): Promise<void> {
  try {
    await parts.publish(event)
  } catch (error) {
    parts.log.warn('the broker did not take the event; the row is kept and the repair tick publishes it', {
      request: id,
      event: event.id,
      error,
    })
  }
}
