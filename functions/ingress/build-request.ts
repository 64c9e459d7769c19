import { createHash } from 'node:crypto'
import { Fault } from '../../shared/errors/fault.ts'
import type { Event } from '../../shared/events/event.ts'
import { requestCreated } from '../../shared/events/request-created.ts'
import type { NewRequest } from '../../shared/store/requests.ts'
import { beginTrace, isTraceparent } from '../../shared/telemetry/traceparent.ts'
import type { Question } from './read-question.ts'

export interface Arrival {
  id: string
  at: Date
  /** Subject of the caller's token. */
  caller: string
  /** The address of the person whose token it is; null: a program's. */
  speaker: string | null
  headers: Headers
  /** Path and text of the request, which an Idempotency-Key is bound to. */
  path: string
  text: string
  randomBytes(count: number): Uint8Array
}

/**
 * The row of a question and the event that announces it, which stands in the row so that every publication is the same.
 * @throws Fault `request.malformed` for an Idempotency-Key that is none.
 */
export function buildRequest(question: Question, arrival: Arrival): { row: NewRequest; event: Event } {
  const traceparent = readTraceparent(arrival.headers.get('traceparent'), arrival.randomBytes)
  const event = requestCreated({
    ...{ id: arrival.id, channel: question.channel, person: question.email, source: '/ingress' },
    ...{ traceparent, at: arrival.at },
  })
  const row: NewRequest = {
    id: arrival.id,
    caller: arrival.caller,
    speaker: arrival.speaker,
    identity: `email:${question.email}`,
    channel: question.channel,
    channelMessage: null,
    idempotencyKey: readIdempotencyKey(arrival.headers.get('idempotency-key')),
    bodyHash: createHash('sha256')
      .update(JSON.stringify([arrival.path, arrival.text]))
      .digest('hex'),
    requestType: question.requestType,
    content: question.content,
    metadata: question.metadata,
    context: question.context,
    target: {
      ...{ channel: question.channel, thread: null },
      ...(question.replyTo === null ? {} : { also: [{ channel: 'webhook', thread: question.replyTo }] }),
    },
    traceparent,
    event: JSON.stringify(event),
    acceptedAt: arrival.at,
    approval: null,
    button: question.button,
  }
  return { row, event }
}

function readIdempotencyKey(header: string | null): string | null {
  if (header === null) return null
  if (/^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(header)) return header
  throw new Fault('request.malformed', 'Idempotency-Key: 1 to 255 printable ASCII characters')
}

function readTraceparent(header: string | null, randomBytes: (count: number) => Uint8Array): string {
  return header !== null && isTraceparent(header) ? header : beginTrace(randomBytes)
}
