import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerAuthorization, type Client, readAuthorization } from './authorize.ts'
import { createCodes } from './codes.ts'
import type { IssuerKey } from './key.ts'
import { type Person, pagePolicy, refusalPage, signInPage } from './sign-in-page.ts'
import { answerTokenRequest } from './token.ts'

export interface SignInParts {
  key: IssuerKey
  issuer(): string
  client: Client
  people: readonly Person[]
  now(): Date
}

/** Answers what belongs to signing in; false: it is another route. */
export type SignInRoutes = (url: URL, request: IncomingMessage, response: ServerResponse) => Promise<boolean>

const bodyLimit = 16_384

/** The authorization and the token endpoint. */
export function createSignInRoutes(parts: SignInParts): SignInRoutes {
  const { client, people, issuer, key } = parts
  const codes = createCodes(() => parts.now().getTime())
  const headers = {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // With no-referrer the browser would hide the Origin of our own form from us.
    'referrer-policy': 'same-origin',
    'content-security-policy': pagePolicy(new URL(client.redirectUri).origin),
  }
  const html = (response: ServerResponse, status: number, text: string) =>
    void response.writeHead(status, { ...headers, 'content-type': 'text/html; charset=utf-8' }).end(text)

  const authorize = async (url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const isPick = request.method === 'POST'
    const fields = isPick ? await readForm(request) : url.searchParams
    if (fields === null) return html(response, 400, refusalPage('The form cannot be read.'))
    // Only the page that we showed may pick somebody (RFC 6749, section 10.12).
    if (isPick && request.headers.origin !== issuer()) return html(response, 403, refusalPage('Not from this page.'))
    const picked = fields.get('as')
    fields.delete('as')
    const authorization = readAuthorization(fields, client, issuer())
    if (authorization.kind === 'tell') return html(response, 400, refusalPage(authorization.why))
    if (authorization.kind === 'return')
      return void response.writeHead(303, { ...headers, location: authorization.location }).end()
    if (!isPick) return html(response, 200, signInPage(people, fields))
    const person = people.find(({ email }) => email === picked)
    if (picked !== '' && person === undefined)
      return html(response, 400, refusalPage('Nobody of that address is here.'))
    const location = answerAuthorization(authorization.asked, person?.email ?? null, issuer(), codes)
    response.writeHead(303, { ...headers, location }).end()
  }

  const token = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = await readForm(request)
    const answer =
      form === null
        ? { status: 400, body: { error: 'invalid_request' } }
        : await answerTokenRequest(form, { key, issuer: issuer(), client: client.id, codes, now: parts.now() })
    // RFC 6749, section 5.1: whatever holds a token is not to be stored.
    response.writeHead(answer.status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(JSON.stringify(answer.body))
  }

  return async (url, request, response) => {
    if (url.pathname !== '/authorize' && url.pathname !== '/token') return false
    // A name of somebody else's that leads to this machine makes their page none of ours (DNS rebinding).
    if (request.headers.host !== new URL(issuer()).host) {
      html(response, 421, refusalPage('Wrong host.'))
      return true
    }
    const methods = url.pathname === '/token' ? ['POST'] : ['GET', 'POST']
    if (!methods.includes(request.method ?? '')) {
      // RFC 6749, section 3.2: tokens are asked for by POST alone.
      response.writeHead(405, { allow: methods.join(', ') }).end()
      return true
    }
    if (url.pathname === '/token') await token(request, response)
    else await authorize(url, request, response)
    return true
  }
}

/** RFC 6749, appendix B: parameters come form-encoded. Null for anything else. */
async function readForm(request: IncomingMessage): Promise<URLSearchParams | null> {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';')
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded') return null
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > bodyLimit) return null
    chunks.push(chunk)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}
