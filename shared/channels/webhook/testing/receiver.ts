import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/** What a receiver has taken: a delivery whose signature is right and whose time is now. */
export interface Taken {
  id: string
  body: {
    delivery_id: string
    request_id: string
    session_id: string | null
    status: string
    response: { content: string; metadata: Record<string, unknown> } | null
  }
}

/** What it does with the next delivery; after that it answers 204. */
export type Play =
  | { status: number; headers?: Record<string, string>; body?: string }
  /** Takes it, and hangs up before its answer. */
  | 'lose'
  /** Takes it, and never answers. */
  | 'hang'
  /** Hangs up before it has read anything. */
  | 'drop'

export interface Receiver {
  url: string
  port: number
  taken: Taken[]
  /** Statuses of what it refused by itself. */
  refused: string[]
  /** Every request that came, whatever became of it. */
  requests: { method: string; path: string; host: string; headers: NodeJS.Dict<string | string[]> }[]
  plays: Play[]
  secret: string
  close(): Promise<void>
}

/** Seconds on both sides (Standard Webhooks 1.0.0, "Verifying signatures": a time within some tolerance). */
const tolerance = 300

/**
 * A program that receives webhooks by the letter of Standard Webhooks 1.0.0
 * (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md); it shares no line with the sender.
 */
export async function startReceiver(
  options: { now: () => Date; tls?: { key: string; cert: string } } = { now: () => new Date() },
): Promise<Receiver> {
  const receiver = { taken: [], refused: [], requests: [], plays: [], secret: '' } as Pick<
    Receiver,
    'taken' | 'refused' | 'requests' | 'plays' | 'secret'
  >
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url: path = '', headers } = request
    receiver.requests.push({ method, path, host: headers.host ?? '', headers })
    const play = receiver.plays.shift()
    if (play === 'drop') return void request.socket.destroy()
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const refusal = judge(request, body, receiver.secret, options.now())
    if (refusal !== null) {
      receiver.refused.push(refusal)
      response.writeHead(400).end(refusal)
      return
    }
    const status = typeof play === 'object' ? play.status : 204
    if (status < 300) receiver.taken.push({ id: String(headers['webhook-id']), body: JSON.parse(body.toString()) })
    if (play === 'lose') return void request.socket.destroy()
    if (play === 'hang') return
    response.writeHead(status, typeof play === 'object' ? play.headers : {})
    response.end(typeof play === 'object' ? play.body : undefined)
  }
  const listener = (request: IncomingMessage, response: ServerResponse) => void answer(request, response)
  const server: Server = options.tls ? createSecureServer(options.tls, listener) : createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(receiver, {
    port,
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}/hook`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

function judge(request: IncomingMessage, body: Buffer, secret: string, now: Date): string | null {
  // "The payload is … passed in the HTTP body"; a POST with a content type (CloudEvents http-webhook.md, 2.1).
  if (request.method !== 'POST') return 'not POST'
  if (request.headers['content-type'] !== 'application/json') return 'not JSON'
  // "Webhook headers": all three, by these names.
  const [id, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) =>
    String(request.headers[name] ?? ''),
  )
  if (!id || !timestamp || !signatures) return 'a header is missing'
  // "integer unix timestamp (seconds since epoch)", and within a tolerance.
  if (!/^\d{10}$/.test(timestamp)) return 'no timestamp'
  if (Math.abs(now.getTime() / 1_000 - Number(timestamp)) > tolerance) return 'too old, or from the future'
  // "base64 encoded, prefixed with whsec_"; "at least 24 bytes".
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  if (!secret.startsWith('whsec_') || key.byteLength < 24) return 'no secret'
  // "space delimited list"; the content is {msg_id}.{timestamp}.{payload}.
  const expected = createHmac('sha256', key)
    .update(Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]))
    .digest()
  const matches = signatures.split(' ').some((one) => {
    const [version, value = ''] = one.split(',')
    const given = Buffer.from(value, 'base64')
    return version === 'v1' && given.byteLength === expected.byteLength && timingSafeEqual(given, expected)
  })
  return matches ? null : 'forged'
}
