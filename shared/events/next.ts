import { nextTraceparent } from '../telemetry/traceparent.ts'
import type { EventType } from './catalogue.ts'
import { buildEvent, type Chain, type Event } from './event.ts'

/** The event that follows another in a chain: one hop further, in the same trace, for the same request. */
export function nextEvent<Data>(
  chain: Chain,
  parts: { type: EventType; source: string; session: string; cause: string[]; time: Date; data: Data },
): Event<Data> {
  return buildEvent({
    type: parts.type,
    source: parts.source,
    subject: parts.session,
    cause: parts.cause,
    time: parts.time,
    chain: {
      correlation: chain.correlation,
      traceparent: nextTraceparent(chain.traceparent, parts.type, ...parts.cause),
      hops: chain.hops + 1,
    },
    data: parts.data,
  })
}
