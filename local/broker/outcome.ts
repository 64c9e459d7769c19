import type { Mode } from './back-off.ts'
import { type Envelope, encodingOf, type HeaderMap, readEnvelope } from './envelope.ts'

/** What one attempt came to on the wire. */
export type Attempt = { kind: 'answered'; answer: Answer } | { kind: 'unreachable'; reason: string }

export interface Answer {
  status: number
  headers: HeaderMap
  body: Buffer
}

/** Why a delivery was given up, as the dead letter sink is told. */
export interface Failure {
  /** `knativeerrorcode`; absent where the broker imitated writes none. */
  code?: number
  /** `knativeerrordata`, already encoded. */
  data?: string
  /** Kafka only: answer headers `kne-<name>` become extensions of the dead letter. */
  extensions?: Record<string, string>
  /** `knativeerrordest`, where it isn't the subscriber. */
  destination?: string
}

export type Outcome =
  | { kind: 'done' }
  | { kind: 'reply'; envelope: Envelope; headers: Record<string, string> }
  | { kind: 'failed'; retryable: boolean; failure: Failure }

/** Stands for: the event goes to the Trigger's subscriber, or, given up by it, to the dead letter sink. */
export type Leg = 'subscriber' | 'dead-letter'

/** Characters of base64 (channel) or bytes before base64 (Kafka) that `knativeerrordata` holds at most. */
const maxErrorData = 1024
const retryableBelow500 = new Set([404, 408, 409, 429])

/** Whether an answer's status is worth another attempt (data-plane.md, "Event Delivery Retry Strategy"). */
export function isRetryable(status: number): boolean {
  return status >= 500 || retryableBelow500.has(status)
}

/**
 * Judges one attempt as the broker of that mode does. A 2xx with an event is a reply, also a 202 (against the
 * specification, as both do); a 2xx with any other body is a failure, which the channel broker retries as its own 502
 * and Kafka's doesn't retry. The channel broker doesn't read the dead letter sink's answers; Kafka's does, and publishes
 * an event it finds there.
 */
export function judge(attempt: Attempt, leg: Leg, mode: Mode): Outcome {
  if (attempt.kind === 'unreachable') {
    if (mode === 'kafka') return { kind: 'failed', retryable: true, failure: {} }
    const data = errorData(Buffer.from(`dispatch error: ${attempt.reason}`), mode)
    return { kind: 'failed', retryable: true, failure: { code: 500, ...data } }
  }
  const { status, headers, body } = attempt.answer
  if (status < 200 || status > 299) {
    const failure: Failure = { code: status, ...errorData(body, mode), ...errorExtensions(headers, mode) }
    return { kind: 'failed', retryable: isRetryable(status), failure }
  }
  if (leg === 'dead-letter' && mode === 'channel') return { kind: 'done' }
  if (encodingOf(headers) === 'none') return body.length === 0 ? { kind: 'done' } : notAnEvent(mode)
  try {
    return { kind: 'reply', envelope: readEnvelope(headers, body), headers: passedThrough(headers, mode) }
  } catch {
    return notAnEvent(mode)
  }
}

function notAnEvent(mode: Mode): Outcome {
  return mode === 'channel'
    ? { kind: 'failed', retryable: true, failure: { code: 502 } }
    : { kind: 'failed', retryable: false, failure: {} }
}

function errorData(body: Buffer, mode: Mode): { data?: string } {
  if (body.length === 0) return {}
  if (mode === 'kafka') return { data: body.subarray(0, maxErrorData).toString('base64') }
  // Four characters of base64 are three bytes, so 768 bytes and a rest fill the 1024 characters.
  return { data: body.subarray(0, maxErrorData).toString('base64').slice(0, maxErrorData) }
}

function errorExtensions(headers: HeaderMap, mode: Mode): { extensions?: Record<string, string> } {
  if (mode === 'channel') return {}
  const extensions: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && /^kne-[a-z0-9]{1,64}$/.test(name)) extensions[name.slice(4)] = value
  }
  return Object.keys(extensions).length === 0 ? {} : { extensions }
}

const passed = /^(x-request-id|retry-after|knative-.+|x-b3-.+)$/

/** The headers that travel with an event beside its attributes: a short list on the channel broker, none on Kafka's. */
export function passedThrough(headers: HeaderMap, mode: Mode): Record<string, string> {
  const kept: Record<string, string> = {}
  if (mode === 'kafka') return kept
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && passed.test(name)) kept[name] = value
  }
  return kept
}

const core = new Set(['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'dataschema'])

/** The original event with what is known of its failure; its data and its own attributes untouched. */
export function deadLetter(envelope: Envelope, failure: Failure, subscriber: string): Envelope {
  const attributes = { ...envelope.attributes }
  for (const [name, value] of Object.entries(failure.extensions ?? {})) {
    if (!core.has(name)) attributes[name] = value
  }
  attributes['knativeerrordest'] = failure.destination ?? subscriber
  if (failure.code !== undefined) attributes['knativeerrorcode'] = String(failure.code)
  if (failure.data !== undefined) attributes['knativeerrordata'] = failure.data
  return { attributes, body: envelope.body }
}
