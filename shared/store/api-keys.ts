import type { Scope } from '../identity/caller.ts'
import type { Sql } from './connect.ts'

/** A program's key as its owner may read it. */
export interface ApiKey {
  id: string
  subject: string
  scopes: Scope[]
  createdBy: string
  createdAt: Date
  expiresAt: Date
  revokedAt: Date | null
  lastUsedAt: Date | null
}

/** What a secret is checked against. */
export interface KeyToCheck extends ApiKey {
  hash: Buffer
  previousHash: Buffer | null
  previousUntil: Date | null
}

const shown = (sql: Sql) => sql`
  id, subject, to_json(scopes) as scopes, created_by as "createdBy", created_at as "createdAt",
  expires_at as "expiresAt", revoked_at as "revokedAt", last_used_at as "lastUsedAt"`

export async function createApiKey(sql: Sql, key: Omit<KeyToCheck, 'previousHash' | 'previousUntil'>): Promise<void> {
  // Scopes are our own words: nothing in them has to be quoted.
  await sql`
    insert into api_keys (id, subject, scopes, hash, created_by, created_at, expires_at)
    values (${key.id}, ${key.subject}, ${`{${key.scopes.join(',')}}`}::text::text[], ${key.hash}, ${key.createdBy},
      ${key.createdAt}, ${key.expiresAt})`
}

/** The newest first. */
export async function listApiKeys(sql: Sql, limit: number): Promise<ApiKey[]> {
  return await sql<ApiKey[]>`select ${shown(sql)} from api_keys order by created_at desc, id limit ${limit}`
}

export async function findApiKey(sql: Sql, id: string): Promise<KeyToCheck | null> {
  const [key] = await sql<KeyToCheck[]>`
    select ${shown(sql)}, hash, previous_hash as "previousHash", previous_until as "previousUntil"
    from api_keys where id = ${id}`
  return key ?? null
}

/** A new secret, beside which the old one is taken for a while. False where the key is over or not there. */
export async function rotateApiKey(
  sql: Sql,
  rotated: { id: string; hash: Buffer; previousUntil: Date; expiresAt: Date; now: Date },
): Promise<boolean> {
  const { id, hash, previousUntil, expiresAt, now } = rotated
  const { count } = await sql`
    update api_keys set previous_hash = hash, previous_until = least(${previousUntil}, expires_at), hash = ${hash},
      expires_at = ${expiresAt}
    where id = ${id} and revoked_at is null and expires_at > ${now}`
  return count === 1
}

/** Ends a key, for good; what was revoked before stays so. False where there is none. */
export async function revokeApiKey(sql: Sql, id: string, now: Date): Promise<boolean> {
  const { count } = await sql`update api_keys set revoked_at = coalesce(revoked_at, ${now}) where id = ${id}`
  return count === 1
}

/** Notes that a key was used, at most once a minute. */
export async function noteUse(sql: Sql, id: string, now: Date): Promise<void> {
  await sql`
    update api_keys set last_used_at = ${now}
    where id = ${id} and (last_used_at is null or last_used_at <= ${new Date(now.getTime() - 60_000)})`
}
