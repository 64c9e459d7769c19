import type { Sql } from './connect.ts'

/** The person behind a verified identity such as `email:alice@example.com`, made on first sight; returns the id. */
export async function resolvePerson(sql: Sql, identity: string, email: string): Promise<string> {
  const [known] = await sql<{ person: string }[]>`select person from identities where identity = ${identity}`
  if (known) return known.person
  // Two first messages at once: the loser of the insert reads the winner's row.
  await sql`insert into people (email) values (${email}) on conflict do nothing`
  await sql`
    insert into identities (identity, person) select ${identity}, id from people where email = ${email}
    on conflict do nothing`
  const [made] = await sql<{ person: string }[]>`select person from identities where identity = ${identity}`
  if (!made) throw new Error(`identity ${identity} vanished while it was made`)
  return made.person
}
