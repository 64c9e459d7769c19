import { SignJWT } from 'jose'
import type { IssuerKey } from './key.ts'

export interface TokenToSign {
  issuer: string
  audience: string
  /** The person's address; null: a program that speaks for nobody in particular. */
  email: string | null
  /** Name of the program that holds the token; gives it the scope `service`. */
  service?: string | undefined
  scopes?: readonly string[]
  now: Date
}

const lifetimeSeconds = 3_600

/** A token of one hour, signed with the demo's key. Its subject is the program's name, or the address. */
export function signToken(key: IssuerKey, token: TokenToSign): Promise<string> {
  const subject = token.service === undefined ? token.email : `service:${token.service}`
  if (subject === null) throw new Error('a token needs an address or the name of a program')
  const issuedAt = Math.floor(token.now.getTime() / 1_000)
  const scopes = [...(token.service === undefined ? [] : ['service']), ...(token.scopes ?? [])]
  return new SignJWT({
    ...(token.email === null ? {} : { email: token.email, email_verified: true }),
    ...(scopes.length === 0 ? {} : { scope: [...new Set(scopes)].join(' ') }),
  })
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid, typ: 'JWT' })
    .setIssuer(token.issuer)
    .setAudience(token.audience)
    .setSubject(subject)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + lifetimeSeconds)
    .sign(key.private)
}
