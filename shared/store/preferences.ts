import type { Sql } from './connect.ts'

/** The channels on which the person who has this address wants a copy of each answer. */
export async function findCopies(sql: Sql, email: string): Promise<string[]> {
  const [row] = await sql<{ copies: string[] }[]>`
    select to_json(p.copies) as copies from preferences p join identities i on i.person = p.person
    where i.identity = ${`email:${email}`}`
  return row?.copies ?? []
}

/** Keeps them, in the place of those before. Names of channels alone: nothing in them has to be quoted. */
export async function setCopies(sql: Sql, person: string, copies: readonly string[], now: Date): Promise<void> {
  await sql`
    insert into preferences (person, copies, updated_at) values (${person}, ${`{${copies.join(',')}}`}::text::text[], ${now})
    on conflict (person) do update set copies = excluded.copies, updated_at = excluded.updated_at`
}
