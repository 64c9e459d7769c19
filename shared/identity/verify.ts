import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { Fault } from '../errors/fault.ts'
import { type Caller, isOfProgram } from './caller.ts'
import { parseEmail } from './email.ts'
import { openRemoteKeys } from './remote-keys.ts'

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
 * The issuer's public keys: an http(s) URL is fetched (shared/identity/remote-keys.ts), a file URL is read once, a key
 * set is taken as it is.
 * @throws Fault `identity.keys-unavailable` where a key set or file cannot be read as one.
 */
export function openKeys(source: URL | JSONWebKeySet, now = () => new Date()): JWTVerifyGetKey {
  if (source instanceof URL && source.protocol !== 'file:') return openRemoteKeys(source, { now })
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
  return toCaller(await verifyClaims(token, rules))
}

/**
 * Who signed in: an identity token (OpenID Connect Core 1.0, section 3.1.3.7) made for this client, whose id is the
 * audience, in the sign-in that sent this nonce.
 * @throws Fault as verifyToken
 */
export async function verifyIdToken(token: string, rules: TokenRules & { nonce: string }): Promise<Caller> {
  const claims = await verifyClaims(token, rules)
  const refuse = (why: string) => new Fault('identity.invalid', `the identity token was refused: ${why}`)
  if (claims['nonce'] !== rules.nonce) throw refuse('it is of another sign-in')
  if (claims.iat === undefined) throw refuse('it has no time of issue')
  // Points 4 and 5: whom it was made for, where that is said, or where it has several readers.
  const party = claims['azp']
  const several = Array.isArray(claims.aud) && claims.aud.length > 1
  if (party === undefined ? several : party !== rules.audience) throw refuse('it was made for another client')
  return toCaller(claims)
}

async function verifyClaims(token: string, rules: TokenRules): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keysOrFault(rules.keys), {
      issuer: rules.issuer,
      audience: rules.audience,
      algorithms,
      clockTolerance: clockToleranceSeconds,
      requiredClaims: ['sub', 'exp'],
      ...(rules.now ? { currentDate: rules.now() } : {}),
    })
    return payload
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
  // What they asked would be that program's to read.
  if (isOfProgram(sub)) throw new Fault('identity.invalid', 'the token was refused: its subject is that of an API key')
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
