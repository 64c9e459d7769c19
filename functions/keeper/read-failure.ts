import { catalogue, type FaultCode } from '../../shared/errors/catalogue.ts'
import type { Event } from '../../shared/events/event.ts'

/** The extensions a broker adds to an event that it gave up (Knative data plane, dead letters), and our own transport. */
const addedByBroker = [
  'knativeerrordest',
  'knativeerrorcode',
  'knativeerrordata',
  'knativearrivaltime',
  'knativebrokerttl',
]

/** True for an event that a broker gave up. Kafka's gives no code where the subscriber could not be reached. */
export function isDeadLetter(event: Event): boolean {
  return 'knativeerrordest' in event || 'knativeerrorcode' in event
}

export interface Failure {
  /** URL of the subscriber that refused the event. */
  destination: string | null
  status: number | null
  /** What the subscriber answered, at most 1,024 bytes of it. */
  data: string | null
  code: FaultCode
}

/** What the broker says of why it gave an event up. */
export function readFailure(event: Event): Failure {
  const data = event['knativeerrordata']
  const text = typeof data === 'string' ? Buffer.from(data, 'base64').toString('utf8') : null
  const destination = event['knativeerrordest']
  const status = Number(event['knativeerrorcode'])
  return {
    destination: typeof destination === 'string' ? destination : null,
    status: Number.isInteger(status) && status > 0 ? status : null,
    data: text,
    code: codeIn(text),
  }
}

/** The event as it was published. */
export function withoutFailure(event: Event): Event {
  const kept = Object.entries(event).filter(([name]) => !addedByBroker.includes(name) && !name.startsWith('kne-'))
  return Object.fromEntries(kept) as Event
}

/** The fault that the stage named in its problem+json, if what came through is readable and one of ours. */
function codeIn(text: string | null): FaultCode {
  const named = text === null ? undefined : /"code":"([a-z.-]+)"/.exec(text)?.[1]
  const code = Object.keys(catalogue).find((known): known is FaultCode => known === named)
  return code ?? 'turn.dead-lettered'
}
