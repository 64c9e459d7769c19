import { createHash } from 'node:crypto'
import type { Database } from '../store/connect.ts'
import { keepLink } from '../store/identities.ts'

/** Milliseconds for which a link is good. */
const goodFor = 15 * 60_000

/**
 * A link for an account of a channel that has no usable address: whoever opens it, signs in and confirms is that account
 * from then on. Good once, for 15 minutes; an account's earlier links are over. Only its own account may be shown it.
 */
export async function offerLink(
  parts: { database: Database; now(): Date; randomBytes(count: number): Uint8Array },
  account: { identity: string; channel: string; page: string },
): Promise<string> {
  const token = Buffer.from(parts.randomBytes(32)).toString('base64url')
  const now = parts.now()
  const { identity, channel, page } = account
  const expiresAt = new Date(now.getTime() + goodFor)
  await keepLink(parts.database, { hash: readLinkToken(token), identity, channel, expiresAt, now })
  return new URL(`/link?token=${token}`, page).href
}

/** What is kept of a link's token. */
export function readLinkToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
