import { createServer, type Server } from 'node:http'
import type { IssuerKey } from './key.ts'

/**
 * The demo's OpenID issuer as far as a verifier needs one: its keys and where they are (OpenID Connect Discovery 1.0,
 * section 4). There is deliberately no way to get a token over HTTP.
 */
export function createIssuer(key: IssuerKey, issuer: () => string): Server {
  const documents: Record<string, () => unknown> = {
    '/.well-known/jwks.json': () => ({ keys: [key.publicJwk] }),
    '/.well-known/openid-configuration': () => ({
      issuer: issuer(),
      jwks_uri: `${issuer()}/.well-known/jwks.json`,
      id_token_signing_alg_values_supported: ['EdDSA'],
      response_types_supported: ['none'],
      subject_types_supported: ['public'],
      scopes_supported: ['service', 'requests:act-for-others', 'conversations:read'],
    }),
    '/health/readiness': () => ({ status: 'ok' }),
  }
  return createServer((request, response) => {
    const document = documents[new URL(request.url ?? '/', 'http://issuer').pathname]
    if (document === undefined) return void response.writeHead(404).end()
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return void response.writeHead(405, { allow: 'GET, HEAD' }).end()
    }
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'public, max-age=60' })
    response.end(JSON.stringify(document()))
  })
}
