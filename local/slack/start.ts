import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { callMethod } from './methods.ts'
import type { Play, Workspace } from './workspace.ts'

export interface SlackStandIn {
  /** For SLACK_API_URL. */
  url: string
  close(): Promise<void>
}

/** Seconds that a caller who called too often has to wait. */
export const retryAfter = 5
/** Bytes of a call that are read. */
const bodyLimit = 1_048_576

/**
 * Starts a stand-in for Slack's Web API on a workspace in memory. It is no Slack: it knows the methods that this system
 * uses, and refuses what Slack's documentation says is refused.
 */
export async function startSlackStandIn(
  workspace: Workspace,
  options: {
    port?: number
    hostname?: string
    more?: (request: IncomingMessage, response: ServerResponse) => boolean
  } = {},
): Promise<SlackStandIn> {
  const { port = 0, hostname = '127.0.0.1', more } = options
  const server = createServer((request, response) => {
    if (more?.(request, response) === true) return
    serve(workspace, request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, hostname, resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port')
  return {
    url: `http://127.0.0.1:${address.port}/api/`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)))
        server.closeAllConnections()
      }),
  }
}

async function serve(workspace: Workspace, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1')
  const method = pathname.replace(/^\/api\//, '')
  const answer = (status: number, body: unknown, headers: Record<string, string> = {}) =>
    response
      .writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
      .end(JSON.stringify(body))
  // apis/web-api: methods are called by POST (or GET, which this stand-in does without).
  if (request.method !== 'POST') return void answer(405, { ok: false, error: 'method_not_allowed' })
  const body = await read(request)
  workspace.calls.push(method)
  // authentication/tokens: the token is in the Authorization header.
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
  if (token === undefined) return void answer(200, { ok: false, error: 'not_authed' })
  if (token !== workspace.bot.token) return void answer(200, { ok: false, error: 'invalid_auth' })
  // apis/web-api: arguments come as a form or as JSON.
  const given = (request.headers['content-type'] ?? '').startsWith('application/json')
    ? Object.fromEntries(
        Object.entries(JSON.parse(body) as Record<string, unknown>).map(([name, value]) => [
          name,
          typeof value === 'string' ? value : JSON.stringify(value),
        ]),
      )
    : Object.fromEntries(new URLSearchParams(body))
  workspace.given = given
  if (workspace.silent) return
  const play: Play = method === 'chat.postMessage' ? (workspace.plays.shift() ?? 'taken') : 'taken'
  // apis/web-api/rate-limits: 429 with Retry-After in seconds.
  if (play === 'rate-limited')
    return void answer(429, { ok: false, error: 'ratelimited' }, { 'retry-after': String(retryAfter) })
  if (play === 'archived') return void answer(200, { ok: false, error: 'is_archived' })
  if (play === 'broken') return void answer(503, { ok: false, error: 'service_unavailable' })
  if (play === 'hung-up') return void response.destroy()
  const answered = callMethod(workspace, method, given)
  if (play === 'lost') return void response.destroy()
  answer(200, answered)
}

async function read(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > bodyLimit) throw new Error('too much')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
