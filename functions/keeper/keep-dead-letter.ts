import { chainOf, deterministicId, type Event } from '../../shared/events/event.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { type DeadLetterOutcome, storeDeadLetter } from '../../shared/store/dead-letters.ts'
import { findInbox } from '../../shared/store/inbox.ts'
import { consumerOf } from './consumer-of.ts'
import { endTurn } from './end-turn.ts'
import { failSubject } from './fail-subject.ts'
import { findSubject } from './find-subject.ts'
import { readFailure, withoutFailure } from './read-failure.ts'

/**
 * Takes one dead letter: stores it, and makes sure that nobody waits for ever. Finished at its consumer: the stored
 * reply goes out again; route's, where it could give none, is made in its place. Being worked on, or overtaken: recorded
 * only. Otherwise the turn is closed with an apology, and the returned event moves the session on. All in the caller's
 * transaction; the caller publishes what is returned.
 */
export async function keepDeadLetter(
  event: Event,
  sql: Sql,
  now: Date,
  { callsPerson = false } = {},
): Promise<{ outcome: DeadLetterOutcome; next: Event | null }> {
  const original = withoutFailure(event)
  const failure = readFailure(event)
  const consumer = consumerOf(original.type, failure.destination)
  const subject = await findSubject(sql, original, consumer)
  const inbox =
    consumer === null ? null : await findInbox(sql, { consumer, source: original.source, event: original.id })

  let outcome: DeadLetterOutcome = 'recorded'
  let next: Event | null = null
  if (inbox?.state === 'finished') {
    next = inbox.reply
    if (next !== null) outcome = 'republished'
  } else if (subject.kind === 'queue') {
    // The turn was answered: nothing of it is closed, and nothing to be said again. Only route's reply is missing.
    next = await endTurn(sql, subject.session, now)
    if (next !== null) outcome = 'republished'
  } else if (!inbox?.leased && subject.kind !== 'none') {
    const failed = await failSubject(sql, subject, { code: failure.code, chain: chainOf(original), now, callsPerson })
    if (failed.closed) outcome = 'closed'
    next = failed.event
  }
  await storeDeadLetter(sql, {
    // The same event may be given up by two consumers: each is a dead letter of its own.
    id: deterministicId('dead-letter', original.source, original.id, failure.destination ?? ''),
    event: failure.code === 'event.unauthorised' ? withoutPerson(original) : original,
    session: 'session' in subject ? subject.session : null,
    turn: subject.kind === 'turn' ? subject.turn.id : null,
    failure,
    outcome,
    now,
  })
  return { outcome, next }
}

/** No request stands behind it, or none any more: then nobody's address is kept for it either. */
function withoutPerson({ subject: _subject, partitionkey: _key, ...event }: Event): Event {
  return event
}
