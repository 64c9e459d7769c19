import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import { Fault } from '../errors/fault.ts'
import type { Caller } from './caller.ts'
import { parseEmail } from './email.ts'

/** Only signatures of a key pair: a public key can never pass for a shared secret. */
const algorithms = ['EdDSA', 'ES256', 'RS256']
const clockToleranceSeconds = 30

export interface TokenRules {
  issuer: string
  audience: string
  keys: JWTVerifyGetKey
  now?: () => Date
}

/**
 * The issuer's public keys: an http(s) URL is fetched on first use and kept for 10 minutes, a file URL is read once,
 * a key set is taken as it is.
 * @throws Fault `identity.keys-unavailable` where a key set or file cannot be read as one.
 */
export function openKeys(source: URL | JSONWebKeySet): JWTVerifyGetKey {
  if (source instanceof URL && source.protocol !== 'file:') {
    return createRemoteJWKSet(source, { timeoutDuration: 3_000, cooldownDuration: 30_000, cacheMaxAge: 600_000 })
  }
  try {
    return createLocalJWKSet(source instanceof URL ? JSON.parse(readFileSync(fileURLToPath(source), 'utf8')) : source)
  } catch (cause) {
    throw new Fault('identity.keys-unavailable', 'the key set cannot be read', { cause })
  }
}

/**
 * Who holds this token: signature, issuer, audience and times checked (RFC 7519, RFC 8725), 30 s of clock difference
 * allowed. The address counts only as ASCII and where the issuer does not call it unverified.
 * @throws Fault `identity.invalid`; `identity.keys-unavailable` where the issuer's keys cannot be fetched.
 */
export async function verifyToken(token: string, rules: TokenRules): Promise<Caller> {
  try {
    const { payload } = await jwtVerify(token, keysOrFault(rules.keys), {
      issuer: rules.issuer,
      audience: rules.audience,
      algorithms,
      clockTolerance: clockToleranceSeconds,
      requiredClaims: ['sub', 'exp'],
      ...(rules.now ? { currentDate: rules.now() } : {}),
    })
    return toCaller(payload)
  } catch (error) {
    if (Fault.is(error)) throw error
    const reason = error instanceof errors.JOSEError ? error.code : 'unreadable'
    throw new Fault('identity.invalid', `the token was refused: ${reason}`, { cause: error })
  }
}

/** A key that the issuer does not list is the token's fault (401); keys that cannot be had are ours to wait for (503). */
function keysOrFault(keys: JWTVerifyGetKey): JWTVerifyGetKey {
  return async (header, token) => {
    try {
      return await keys(header, token)
    } catch (error) {
      if (
        error instanceof errors.JWKSNoMatchingKey ||
        error instanceof errors.JWKSMultipleMatchingKeys ||
        error instanceof errors.JOSENotSupported
      ) {
        throw error
      }
      throw new Fault('identity.keys-unavailable', "the issuer's keys cannot be fetched", { cause: error })
    }
  }
}

function toCaller(claims: JWTPayload): Caller {
  const { sub } = claims
  if (typeof sub !== 'string' || sub === '' || sub.length > 255 || hasControlCharacter(sub)) {
    throw new Fault('identity.invalid', 'the token was refused: its subject is empty, too long or unprintable')
  }
  const scopes = readScopes(claims['scope'] ?? claims['scp'])
  const address = claims['email_verified'] === false || claims['email_verified'] === 'false' ? null : claims['email']
  return {
    subject: sub,
    email: typeof address === 'string' ? parseEmail(address) : null,
    scopes,
    kind: scopes.includes('service') ? 'service' : 'person',
  }
}

/** One string with spaces (RFC 8693, section 4.2), or the list that some issuers write. */
function readScopes(claim: unknown): string[] {
  if (typeof claim === 'string') return claim.split(' ').filter((scope) => scope !== '')
  return Array.isArray(claim) ? claim.filter((scope) => typeof scope === 'string') : []
}

function hasControlCharacter(text: string): boolean {
  return /\p{Cc}|\p{Cs}/u.test(text)
}
