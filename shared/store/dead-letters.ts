import type { Event } from '../events/event.ts'
import type { Sql } from './connect.ts'

export type DeadLetterOutcome = 'closed' | 'republished' | 'recorded'

/** Stores an event that a broker gave up, with who refused it and why; a second copy changes nothing. */
export async function insertDeadLetter(
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
    on conflict (id) do nothing`
}
