import type { Codes } from './codes.ts'

/** The one program that people sign in to here. */
export interface Client {
  id: string
  redirectUri: string
}

/** What a client asks for, once it is known to be well asked. */
export interface Asked {
  client: Client
  state: string | null
  nonce: string | null
  challenge: string
}

/**
 * `ask`: show the sign-in. `tell`: the person reads what is wrong, because whoever asks is not known and is told
 * nothing. `return`: the client is told by a redirect.
 */
export type Authorization =
  | { kind: 'ask'; asked: Asked }
  | { kind: 'tell'; why: string }
  | { kind: 'return'; location: string }

/**
 * An authorization request of the code flow (RFC 6749, section 4.1.1; OpenID Connect Core 1.0, section 3.1.2.1) with
 * PKCE (RFC 7636, section 4.3).
 */
export function readAuthorization(query: URLSearchParams, client: Client, issuer: string): Authorization {
  // RFC 6749, section 3.1: no parameter may come more than once. Checked first: of two redirect URIs neither counts.
  const twice = [...query.keys()].find((name) => query.getAll(name).length > 1)
  if (twice !== undefined) return { kind: 'tell', why: `${twice} is given twice` }
  // RFC 6749, section 4.1.2.1: an unknown client, or one that names another redirect URI, is never redirected to.
  if (query.get('client_id') !== client.id) return { kind: 'tell', why: 'no such client_id' }
  // RFC 9700, section 2.1: redirect URIs are compared as exact strings.
  if (query.get('redirect_uri') !== client.redirectUri)
    return { kind: 'tell', why: 'not the redirect_uri of this client' }
  const state = query.get('state')
  const refuse = (error: string, description: string): Authorization => ({
    kind: 'return',
    location: locationOf(client, issuer, { error, error_description: description }, state),
  })
  const type = query.get('response_type')
  if (type === null) return refuse('invalid_request', 'response_type is missing')
  if (type !== 'code') return refuse('unsupported_response_type', 'only code')
  // OpenID Connect Core 1.0, section 3.1.2.1: without the scope openid it is no request for a sign-in.
  if (!(query.get('scope') ?? '').split(' ').includes('openid')) return refuse('invalid_scope', 'scope has no openid')
  // OpenID Connect Core 1.0, section 3.1.2.6: whoever forbids the page cannot be signed in here.
  if (query.get('prompt') === 'none') return refuse('login_required', 'nobody is signed in')
  const challenge = query.get('code_challenge')
  // RFC 7636, section 4.4.1: a server that requires a challenge says so as invalid_request.
  if (challenge === null) return refuse('invalid_request', 'code challenge required')
  // RFC 9700, section 2.1.1: S256, the method that does not expose the verifier; none given would mean plain.
  if (query.get('code_challenge_method') !== 'S256')
    return refuse('invalid_request', 'transform algorithm not supported')
  // RFC 7636, section 4.2: SHA-256 in base64url is 43 characters.
  if (!/^[A-Za-z0-9_-]{43}$/.test(challenge)) return refuse('invalid_request', 'not a code challenge')
  return { kind: 'ask', asked: { client, state, nonce: query.get('nonce'), challenge } }
}

/** Where the browser goes with a code for a person (RFC 6749, section 4.1.2), or with null: they would rather not. */
export function answerAuthorization(asked: Asked, email: string | null, issuer: string, codes: Codes): string {
  const { client, nonce, challenge, state } = asked
  const answer =
    email === null
      ? { error: 'access_denied', error_description: 'nobody was picked' }
      : { code: codes.issue({ client: client.id, redirectUri: client.redirectUri, nonce, challenge, email }) }
  return locationOf(client, issuer, answer, state)
}

function locationOf(client: Client, issuer: string, answer: Record<string, string>, state: string | null): string {
  const url = new URL(client.redirectUri)
  // RFC 9207, section 2: the answer says whose it is.
  for (const [name, value] of Object.entries({ ...answer, iss: issuer })) url.searchParams.set(name, value)
  if (state !== null) url.searchParams.set('state', state)
  return url.href
}
