import type { Event } from '../events/event.ts'
import type { Sql } from './connect.ts'

/** What was done about a dead letter. Only `recorded` is not the last word: the next one of the same may find more. */
export type DeadLetterOutcome = 'closed' | 'republished' | 'recorded'

/**
 * Stores an event that a broker gave up, with who refused it and why. One that is given up again keeps its row and the
 * time it first came; what became of it is the newest, and whoever had redriven or discarded it sees it again.
 */
export async function storeDeadLetter(
  sql: Sql,
  letter: {
    id: string
    event: Event
    session: string | null
    turn: string | null
    failure: { destination: string | null; status: number | null; data: string | null }
    outcome: DeadLetterOutcome
    now: Date
  },
): Promise<void> {
  await sql`
    insert into dead_letters (id, event, event_type, session, turn, failed_at, error_code, error_data, outcome, received_at)
    values (${letter.id}, ${JSON.stringify(letter.event)}, ${letter.event.type}, ${letter.session}, ${letter.turn},
      ${letter.failure.destination}, ${letter.failure.status}, ${letter.failure.data?.replaceAll('\u0000', '') ?? null},
      ${letter.outcome}, ${letter.now})
    on conflict (id) do update set outcome = excluded.outcome, state = 'stored', error_code = excluded.error_code,
      error_data = excluded.error_data, session = coalesce(excluded.session, dead_letters.session),
      turn = coalesce(excluded.turn, dead_letters.turn)`
}
