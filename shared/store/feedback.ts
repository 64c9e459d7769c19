import type { Sql } from './connect.ts'

/**
 * Keeps whether an answer helped; a second word takes the place of the first. Only the person whom the answer was for has
 * one: false for anybody else, and where the answer is not kept any more.
 */
export async function giveFeedback(
  sql: Sql,
  feedback: { turn: string; email: string; good: boolean; now: Date },
): Promise<boolean> {
  const { turn, email, good, now } = feedback
  const rows = await sql`
    insert into feedback (turn, person, good, given_at)
    select t.id, s.person, ${good}, ${now} from turns t join sessions s on s.id = t.session
      join identities i on i.person = s.person
    where t.id = ${turn} and i.identity = ${`email:${email}`}
    on conflict (turn, person) do update set good = excluded.good, given_at = excluded.given_at
    returning 1`
  return rows.length > 0
}
