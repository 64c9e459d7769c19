import type { Mode } from './back-off.ts'
import type { Envelope } from './envelope.ts'

/** The channel broker's hop count; subscribers never see it. */
const ttlAttribute = 'knativebrokerttl'
const arrivalAttribute = 'knativearrivaltime'
/** What an event without a count starts with. */
const firstTtl = 255

export type Entry = { kind: 'entered'; envelope: Envelope } | { kind: 'exhausted' }

/**
 * What happens to an event at the ingress, a reply's included. Channel: the count starts at 255 or goes down by one, at
 * zero the event is refused, and the arrival time is written. Kafka's broker does neither: nothing there ends a loop.
 */
export function enter(envelope: Envelope, mode: Mode, now: Date): Entry {
  if (mode === 'kafka') return { kind: 'entered', envelope }
  const present = envelope.attributes[ttlAttribute]
  const ttl = present !== undefined && /^-?\d{1,10}$/.test(present) ? Number(present) - 1 : firstTtl
  if (ttl <= 0) return { kind: 'exhausted' }
  return {
    kind: 'entered',
    envelope: {
      attributes: { ...envelope.attributes, [ttlAttribute]: String(ttl), [arrivalAttribute]: now.toISOString() },
      body: envelope.body,
    },
  }
}

/** The event as a subscriber gets it: without the count. */
export function withoutTtl(envelope: Envelope): Envelope {
  const { [ttlAttribute]: _, ...attributes } = envelope.attributes
  return { attributes, body: envelope.body }
}

/** A reply with its cause's count, whatever the subscriber wrote there; the ingress then takes one off. */
export function withTtlOf(reply: Envelope, cause: Envelope, mode: Mode): Envelope {
  const ttl = cause.attributes[ttlAttribute]
  if (mode === 'kafka' || ttl === undefined) return reply
  return { attributes: { ...reply.attributes, [ttlAttribute]: ttl }, body: reply.body }
}
