import type { Sql } from './connect.ts'

/** An account by which a person is known. */
export interface KnownIdentity {
  /** Scheme and value: 'email:alice@example.com', 'slack:T1/U2'. */
  identity: string
  source: 'first-message' | 'channel' | 'sign-in' | 'operator'
  verifiedAt: Date
  /** Null: until it is unlinked. */
  believedUntil: Date | null
  /** The address that the person is: it cannot be unlinked. */
  primary: boolean
}

/** Every account of the person who has this address, the oldest first; empty where nobody is known by it. */
export async function findIdentities(sql: Sql, email: string): Promise<KnownIdentity[]> {
  return await sql<KnownIdentity[]>`
    select i.identity, i.source, i.verified_at as "verifiedAt", i.believed_until as "believedUntil",
      i.identity = 'email:' || p.email as primary
    from identities own join identities i on i.person = own.person join people p on p.id = i.person
    where own.identity = ${`email:${email}`} order by i.verified_at, i.identity`
}

/** A link by which an account of a channel becomes somebody's. */
export interface Link {
  identity: string
  channel: string
  expiresAt: Date
}

/** Keeps a link; the account's earlier ones are over. */
export async function keepLink(sql: Sql, link: Link & { hash: Buffer; now: Date }): Promise<void> {
  const { hash, identity, channel, expiresAt, now } = link
  await sql`
    insert into identity_links (hash, identity, channel, created_at, expires_at)
    values (${hash}, ${identity}, ${channel}, ${now}, ${expiresAt})
    on conflict (identity) do update set hash = excluded.hash, channel = excluded.channel,
      created_at = excluded.created_at, expires_at = excluded.expires_at`
}

/** The link of a token; null where there is none, or it was used, or is over. */
export async function findLink(sql: Sql, hash: Buffer, now: Date): Promise<Link | null> {
  const [link] = await sql<Link[]>`
    select identity, channel, expires_at as "expiresAt" from identity_links where hash = ${hash} and expires_at > ${now}`
  return link ?? null
}

/** Uses a link up: of any number who come with it, one has it. */
export async function takeLink(sql: Sql, hash: Buffer, now: Date): Promise<Link | null> {
  const [link] = await sql<Link[]>`
    delete from identity_links where hash = ${hash} and expires_at > ${now}
    returning identity, channel, expires_at as "expiresAt"`
  return link ?? null
}

/** Ties an account to a person who signed in, until it is unlinked. False where it is another person's. */
export async function linkIdentity(
  sql: Sql,
  linked: { identity: string; person: string; now: Date },
): Promise<boolean> {
  const { identity, person, now } = linked
  const rows = await sql`
    insert into identities (identity, person, source, verified_at) values (${identity}, ${person}, 'sign-in', ${now})
    on conflict (identity) do update
      set source = excluded.source, verified_at = excluded.verified_at, believed_until = null
      where identities.person = excluded.person
    returning 1`
  return rows.length > 0
}

/** Takes an account from the person who has this address. `primary`: it is the address that the person is. */
export async function unlinkIdentity(
  sql: Sql,
  unlinked: { identity: string; email: string },
): Promise<'unlinked' | 'primary' | 'not-theirs'> {
  const { identity, email } = unlinked
  const found = (await findIdentities(sql, email)).find((one) => one.identity === identity)
  if (found === undefined) return 'not-theirs'
  if (found.primary) return 'primary'
  const { count } = await sql`
    delete from identities where identity = ${identity}
      and person = (select person from identities where identity = ${`email:${email}`})`
  return count === 1 ? 'unlinked' : 'not-theirs'
}
