import { eventTypes } from './catalogue.ts'
import { buildEvent, type Event } from './event.ts'

/** The event that announces a request's row: it names the row, and whoever takes it reads the rest there. */
export function requestCreated(request: {
  id: string
  channel: string
  /** E-mail address, which is ASCII by its one spelling, so that it can travel in a header. */
  person: string
  source: '/ingress' | '/keeper'
  traceparent: string
  at: Date
}): Event {
  const { id, channel, person, source, traceparent, at } = request
  return buildEvent({
    type: eventTypes.requestCreated,
    source,
    subject: `${channel}:${person}`,
    cause: [id],
    time: at,
    chain: { correlation: id, traceparent, hops: 0 },
    data: { request_id: id },
  })
}
