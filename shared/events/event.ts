import { createHash } from 'node:crypto'
import { Fault } from '../errors/fault.ts'
import type { EventType } from './catalogue.ts'

/**
 * A CloudEvent 1.0 as this system keeps and compares it: a plain object whose attributes are printable ASCII strings.
 * Extension attributes stand beside the core ones, as in the JSON format (CloudEvents JSON format 1.0.2, section 3).
 */
export interface Event<Data = unknown> {
  specversion: '1.0'
  id: string
  source: string
  type: string
  subject?: string
  time?: string
  datacontenttype?: string
  dataschema?: string
  data?: Data
  [extension: string]: unknown
}

/** Where an event stands in its chain: carried from the message's door to the last delivery. */
export interface Chain {
  /** The request's id: `correlationid`. */
  correlation: string
  /** W3C trace context of the span that causes the next event. */
  traceparent: string
  /** Events of this turn so far: `hops`. */
  hops: number
}

export interface EventToBuild<Data> {
  type: EventType
  source: string
  /** Session id (request.created: channel and identity). Becomes `subject` and `partitionkey`. */
  subject: string
  /** What makes the id: the cause's id and the step. The same parts give the same id, always. */
  cause: readonly string[]
  time: Date
  chain: Chain
  data: Data
}

/**
 * Builds an event whose id follows from its cause, so that a redelivery or a republication is recognised.
 * @throws Fault `event.attribute-not-ascii` where an attribute could not travel in an HTTP header.
 */
export function buildEvent<Data>(parts: EventToBuild<Data>): Event<Data> {
  const event: Event<Data> = {
    specversion: '1.0',
    id: deterministicId(parts.type, ...parts.cause),
    source: parts.source,
    type: parts.type,
    subject: parts.subject,
    time: parts.time.toISOString(),
    datacontenttype: 'application/json',
    partitionkey: parts.subject,
    correlationid: parts.chain.correlation,
    traceparent: parts.chain.traceparent,
    hops: String(parts.chain.hops),
    data: parts.data,
  }
  for (const [name, value] of Object.entries(event)) {
    if (name !== 'data' && typeof value === 'string' && !isPrintableAscii(value)) {
      throw new Fault('event.attribute-not-ascii', `attribute ${name} of ${parts.type}`)
    }
  }
  return event
}

/** A UUID (version 8, RFC 9562) from a SHA-256 of the parts: equal parts, equal id, on any machine. */
export function deterministicId(...parts: string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest()
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = hash.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}

export function isPrintableAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text)
}

/** The chain an event stands in; a door's event without one starts a chain of its own. */
export function chainOf(event: Event): Chain {
  return {
    correlation: typeof event['correlationid'] === 'string' ? event['correlationid'] : event.id,
    traceparent: typeof event['traceparent'] === 'string' ? event['traceparent'] : '',
    hops: Number.parseInt(String(event['hops'] ?? '0'), 10) || 0,
  }
}
