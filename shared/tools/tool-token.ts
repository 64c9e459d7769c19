import { createLocalJWKSet, importJWK, type JSONWebKeySet, type JWK, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import * as z from 'zod/mini'
import { Fault } from '../errors/fault.ts'

export const tokenIssuer = 'self-service-agent'
/** Seconds from minting to expiry: one call and its transport, no more. */
const tokenLifeSeconds = 60
/** Seconds by which the clocks of the two sides may differ. */
const clockToleranceSeconds = 5

/** The yes that allows one write: which tool, which arguments exactly, and until when. */
export interface ToolApproval {
  /** The approval's id, a UUID: the write's idempotency key. */
  id: string
  /** As flows name it: `server.tool`. */
  tool: string
  /** `hashArguments` of the approved arguments. */
  argumentsHash: string
  /** The write must not begin at or after this. */
  notAfter: Date
}

/** Who a call is for, as the tool server may trust it. */
export interface ToolIdentity {
  /** E-mail address, lower case. */
  person: string
  approval: ToolApproval | null
}

// One address in the plain form: nothing that a query language of some back end could read as its own.
const address = /^[a-z0-9][a-z0-9._%+'-]*@[a-z0-9.-]+$/

const claimsSchema = z.object({
  sub: z.string().check(z.maxLength(254), z.regex(address)),
  jti: z.string().check(z.minLength(1)),
  approval: z.optional(
    z.object({
      id: z.uuid(),
      tool: z.string(),
      arguments_hash: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
      not_after: z.iso.datetime(),
    }),
  ),
})

/**
 * Signs the token that carries an employee's identity, and for a write its approval, to one tool server; it lives 60 s.
 * `key` is a private Ed25519 JWK (RFC 8037); a `kid` in it goes into the header, so that keys can be rotated.
 */
export async function mintToolToken(options: {
  person: string
  /** Name of the server that the token is for. */
  audience: string
  approval?: ToolApproval
  key: JWK
  now: Date
  /** The token's own id. */
  id: string
}): Promise<string> {
  const { approval, key, now } = options
  const issued = Math.floor(now.getTime() / 1000)
  const claims: JWTPayload = approval === undefined ? {} : { approval: writeApproval(approval) }
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', ...(key.kid === undefined ? {} : { kid: key.kid }) })
    .setIssuer(tokenIssuer)
    .setSubject(options.person.toLowerCase())
    .setAudience(options.audience)
    .setJti(options.id)
    .setIssuedAt(issued)
    .setExpirationTime(issued + tokenLifeSeconds)
    .sign(await importJWK(key, 'EdDSA'))
}

/**
 * Checks a token against public Ed25519 keys: signature, issuer, audience, age and form.
 * @throws Fault `identity.invalid`
 */
export async function verifyToolToken(
  token: string,
  options: { audience: string; keys: JSONWebKeySet; now: Date },
): Promise<ToolIdentity> {
  let payload: JWTPayload
  try {
    const verified = await jwtVerify(token, createLocalJWKSet(options.keys), {
      algorithms: ['EdDSA'],
      issuer: tokenIssuer,
      audience: options.audience,
      requiredClaims: ['sub', 'jti', 'iat', 'exp'],
      maxTokenAge: tokenLifeSeconds,
      clockTolerance: clockToleranceSeconds,
      currentDate: options.now,
    })
    payload = verified.payload
  } catch (error) {
    throw new Fault('identity.invalid', 'The tool token does not verify', { cause: error })
  }
  const claims = claimsSchema.safeParse(payload)
  if (!claims.success) throw new Fault('identity.invalid', 'The tool token lacks a claim or has one of the wrong form')
  const { sub, approval } = claims.data
  return {
    person: sub,
    approval:
      approval === undefined
        ? null
        : {
            id: approval.id,
            tool: approval.tool,
            argumentsHash: approval.arguments_hash,
            notAfter: new Date(approval.not_after),
          },
  }
}

/**
 * Reads public keys from a setting: one JWK, or a set `{"keys": […]}` while keys are being changed.
 * @throws Fault `identity.invalid` for anything else, and for a private key.
 */
export function readPublicKeys(setting: string): JSONWebKeySet {
  const key = z.looseObject({
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    x: z.string(),
    d: z.optional(z.never()),
  })
  const form = z.union([z.object({ keys: z.array(key).check(z.minLength(1)) }), key])
  let value: unknown
  try {
    value = JSON.parse(setting)
  } catch {
    value = undefined // Refused below, without the text.
  }
  const parsed = form.safeParse(value)
  if (!parsed.success) throw new Fault('identity.invalid', 'The public key setting is no public Ed25519 JWK')
  const keys = 'keys' in parsed.data && Array.isArray(parsed.data.keys) ? parsed.data.keys : [parsed.data]
  return { keys: keys as JWK[] }
}

function writeApproval(approval: ToolApproval) {
  return {
    id: approval.id,
    tool: approval.tool,
    arguments_hash: approval.argumentsHash,
    not_after: approval.notAfter.toISOString(),
  }
}
