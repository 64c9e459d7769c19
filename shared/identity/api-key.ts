import { createHash, timingSafeEqual } from 'node:crypto'
import { Fault } from '../errors/fault.ts'
import { findApiKey, type KeyToCheck, noteUse } from '../store/api-keys.ts'
import type { Sql } from '../store/connect.ts'
import type { Caller } from './caller.ts'

/** What begins a key, so that it is told from a token, and found by scanners of secrets. */
const mark = 'ssa_'
const form = /^ssa_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$/
/** Milliseconds between two notes of its use. */
const noteEvery = 60_000

export function isApiKey(token: string): boolean {
  return token.startsWith(mark)
}

/** What of a key may be shown: it names the key and opens nothing. */
export function prefixOf(id: string): string {
  return `${mark}${id.replaceAll('-', '')}`
}

/** A secret of 256 bits for this key: the token to hand over once, and the hash to keep. */
export function makeSecret(id: string, randomBytes: (count: number) => Uint8Array): { token: string; hash: Buffer } {
  const secret = Buffer.from(randomBytes(32)).toString('base64url')
  return { token: `${prefixOf(id)}_${secret}`, hash: hashOf(secret) }
}

/**
 * The program that holds this key. Its secret is compared in a time that tells nothing; why a key that is right is not
 * taken is said to its holder alone.
 * @throws Fault `identity.invalid`, `store.unavailable`
 */
export async function verifyApiKey(sql: Sql, token: string, now: Date): Promise<Caller> {
  const [, hex = '', secret = ''] = form.exec(token) ?? []
  if (secret === '') throw refused('it is none')
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  const key = await findApiKey(sql, id)
  if (!fits(hashOf(secret), key, now) || key === null) throw refused('nobody has it')
  if (key.revokedAt !== null) throw refused('it was revoked')
  if (key.expiresAt <= now) throw refused('it is over')
  if (key.lastUsedAt === null || now.getTime() - key.lastUsedAt.getTime() >= noteEvery) await noteUse(sql, id, now)
  return { subject: key.subject, email: null, scopes: [...new Set(['service', ...key.scopes])], kind: 'service' }
}

/** Compares with both secrets, whichever of them there are, so that the time is the same for all. */
function fits(hash: Buffer, key: KeyToCheck | null, now: Date): boolean {
  const current = timingSafeEqual(hash, key?.hash ?? nothing)
  const previous = timingSafeEqual(hash, key?.previousHash ?? nothing)
  return current || (previous && (key?.previousUntil?.getTime() ?? 0) > now.getTime())
}

/** What no secret hashes to, as far as anybody knows. */
const nothing = Buffer.alloc(32)

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

function refused(why: string): Fault {
  return new Fault('identity.invalid', `the API key was refused: ${why}`)
}
