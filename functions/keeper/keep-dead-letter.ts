import { catalogue, type FaultCode } from '../../shared/errors/catalogue.ts'
import { eventTypes } from '../../shared/events/catalogue.ts'
import { chainOf, deterministicId, type Event } from '../../shared/events/event.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { type DeadLetterOutcome, insertDeadLetter } from '../../shared/store/dead-letters.ts'
import { findInbox } from '../../shared/store/inbox.ts'
import { failSubject } from './fail-subject.ts'
import { findSubject } from './find-subject.ts'

/** The extensions a broker adds to an event that it gave up (Knative data plane, dead letters), and our own transport. */
const addedByBroker = [
  'knativeerrordest',
  'knativeerrorcode',
  'knativeerrordata',
  'knativearrivaltime',
  'knativebrokerttl',
]

/**
 * Takes one dead letter: stores it, and makes sure that nobody waits for ever. Finished at its consumer: the stored
 * reply goes out again. Being worked on, or overtaken: recorded only. Otherwise the turn is closed with an apology, and
 * the returned event moves the session on. All in the caller's transaction; the caller publishes what is returned.
 */
export async function keepDeadLetter(event: Event, sql: Sql, now: Date): Promise<Event | null> {
  const original = withoutExtensions(event)
  const failure = readFailure(event)
  const subject = await findSubject(sql, original)
  const consumer = consumerOf(original.type, failure.destination)
  const inbox =
    consumer === null ? null : await findInbox(sql, { consumer, source: original.source, event: original.id })

  let outcome: DeadLetterOutcome = 'recorded'
  let next: Event | null = null
  if (inbox?.state === 'finished') {
    next = inbox.reply
    if (next !== null) outcome = 'republished'
  } else if (!inbox?.leased && subject.kind !== 'none') {
    const failed = await failSubject(sql, subject, { code: failure.code, chain: chainOf(original), now })
    if (failed.closed) outcome = 'closed'
    next = failed.event
  }
  await insertDeadLetter(sql, {
    // The same event may be given up by two consumers: each is a dead letter of its own.
    id: deterministicId('dead-letter', original.source, original.id, failure.destination ?? ''),
    event: original,
    session: subject.kind === 'turn' || subject.kind === 'message' ? subject.session : null,
    turn: subject.kind === 'turn' ? subject.turn.id : null,
    failure,
    outcome,
    now,
  })
  return next
}

export interface Failure {
  /** URL of the subscriber that refused the event. */
  destination: string | null
  status: number | null
  /** What the subscriber answered, at most 1,024 bytes of it. */
  data: string | null
  code: FaultCode
}

function readFailure(event: Event): Failure {
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

/** The fault that the stage named in its problem+json, if what came through is readable and one of ours. */
function codeIn(text: string | null): FaultCode {
  const named = text === null ? undefined : /"code":"([a-z.-]+)"/.exec(text)?.[1]
  const code = Object.keys(catalogue).find((known): known is FaultCode => known === named)
  return code ?? 'turn.dead-lettered'
}

function withoutExtensions(event: Event): Event {
  const kept = Object.entries(event).filter(([name]) => !addedByBroker.includes(name) && !name.startsWith('kne-'))
  return Object.fromEntries(kept) as Event
}

/** The inbox in which the event was to be taken: by its type; response-ready has two takers, told apart by address. */
function consumerOf(type: string, destination: string | null): string | null {
  switch (type) {
    case eventTypes.requestCreated:
      return 'normalize'
    case eventTypes.requestNormalized:
    case eventTypes.agentHandoff:
      return 'route'
    case eventTypes.agentStep:
      return 'agent'
    case eventTypes.responseReady:
      return destination?.includes('dispatch') ? 'dispatch' : 'route'
    default:
      return null
  }
}
