import { randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Codes } from './codes.ts'
import type { IssuerKey } from './key.ts'

/** An answer of the token endpoint: its status and its JSON. */
export interface TokenAnswer {
  status: 200 | 400
  body: Record<string, unknown>
}

const lifetimeSeconds = 300

/**
 * The token endpoint (RFC 6749, section 4.1.3). The identity token is made for the page alone (its audience is the
 * client), and the access token, which the protocol asks for, opens nothing: there is no way to a token of the API here.
 */
export async function answerTokenRequest(
  form: URLSearchParams,
  parts: { key: IssuerKey; issuer: string; client: string; codes: Codes; now: Date },
): Promise<TokenAnswer> {
  // RFC 6749, section 5.2.
  const refuse = (error: string, description: string): TokenAnswer => ({
    status: 400,
    body: { error, error_description: description },
  })
  if ([...form.keys()].some((name) => form.getAll(name).length > 1)) {
    return refuse('invalid_request', 'a parameter is given twice')
  }
  const type = form.get('grant_type')
  if (type === null) return refuse('invalid_request', 'grant_type is missing')
  if (type !== 'authorization_code') return refuse('unsupported_grant_type', 'only authorization_code')
  const [client, code, redirectUri, verifier] = ['client_id', 'code', 'redirect_uri', 'code_verifier'].map((name) =>
    form.get(name),
  )
  // RFC 6749, section 3.2.1: a client without a secret names itself.
  if (client !== parts.client) return refuse('invalid_client', 'no such client_id')
  if (!code || !redirectUri || !verifier) {
    return refuse('invalid_request', 'code, redirect_uri and code_verifier are needed')
  }
  const grant = parts.codes.redeem(code, { client, redirectUri, verifier })
  if (grant === null) return refuse('invalid_grant', 'the code is over, used, or not for this')
  const issuedAt = Math.floor(parts.now.getTime() / 1_000)
  // OpenID Connect Core 1.0, section 2; the nonce comes back as it was sent.
  const idToken = await new SignJWT({
    email: grant.email,
    email_verified: true,
    ...(grant.nonce === null ? {} : { nonce: grant.nonce }),
  })
    .setProtectedHeader({ alg: 'EdDSA', kid: parts.key.kid, typ: 'JWT' })
    .setIssuer(parts.issuer)
    .setAudience(parts.client)
    .setSubject(grant.email)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + lifetimeSeconds)
    .sign(parts.key.private)
  return {
    status: 200,
    body: {
      access_token: randomBytes(16).toString('base64url'),
      token_type: 'Bearer',
      expires_in: lifetimeSeconds,
      scope: 'openid',
      id_token: idToken,
    },
  }
}
