import { createServer, type Server } from 'node:http'
import type { IssuerKey } from './key.ts'
import { createSignInRoutes, type SignInParts } from './sign-in-routes.ts'

/**
 * The demo's OpenID issuer: its keys and where they are (OpenID Connect Discovery 1.0, section 4) and, with a page to
 * sign in to, the code flow. There is deliberately no way to a token of the API over HTTP.
 */
export function createIssuer(
  key: IssuerKey,
  issuer: () => string,
  page: Omit<SignInParts, 'key' | 'issuer'> | null = null,
): Server {
  const documents: Record<string, () => unknown> = {
    '/.well-known/jwks.json': () => ({ keys: [key.publicJwk] }),
    '/.well-known/openid-configuration': () => ({
      issuer: issuer(),
      jwks_uri: `${issuer()}/.well-known/jwks.json`,
      id_token_signing_alg_values_supported: ['EdDSA'],
      subject_types_supported: ['public'],
      scopes_supported: ['openid', 'email', 'profile', 'service', 'requests:act-for-others', 'conversations:read'],
      ...(page === null
        ? { response_types_supported: ['none'] }
        : {
            authorization_endpoint: `${issuer()}/authorize`,
            token_endpoint: `${issuer()}/token`,
            response_types_supported: ['code'],
            response_modes_supported: ['query'],
            grant_types_supported: ['authorization_code'],
            token_endpoint_auth_methods_supported: ['none'],
            code_challenge_methods_supported: ['S256'],
            authorization_response_iss_parameter_supported: true,
          }),
    }),
    '/health/readiness': () => ({ status: 'ok' }),
  }
  const signIn = page === null ? null : createSignInRoutes({ ...page, key, issuer })
  return createServer(async (request, response) => {
    const url = URL.parse(request.url ?? '/', 'http://issuer')
    if (url === null) return void response.writeHead(400).end()
    if (signIn !== null && (await signIn(url, request, response))) return
    const document = documents[url.pathname]
    if (document === undefined) return void response.writeHead(404).end()
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return void response.writeHead(405, { allow: 'GET, HEAD' }).end()
    }
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'public, max-age=60' })
    response.end(JSON.stringify(document()))
  })
}
