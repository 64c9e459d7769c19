import { subscribe } from 'node:diagnostics_channel'
import * as z from 'zod/mini'

/** What became of a request to ServiceNow. */
export type RestAnswer<T> =
  | { kind: 'answered'; value: T }
  /** No connection was made, so not a byte of it left this process. */
  | { kind: 'not-sent'; detail: string }
  /** 429. ServiceNow says so before it does anything; a gateway may say so of what it passed on. */
  | { kind: 'busy'; detail: string; retryAfter?: number }
  /** It had no effect, and would have none again. */
  | { kind: 'refused'; detail: string }
  /** Nobody here knows whether it had an effect. */
  | { kind: 'lost'; detail: string; reason: 'timeout' | 'too-large' | 'no-answer' }

export interface Rest {
  get(path: string, parameters: Record<string, string>): Promise<RestAnswer<unknown>>
  post(path: string, body: unknown): Promise<RestAnswer<unknown>>
}

const maxBytes = 1024 * 1024
const refusal = z.object({ error: z.object({ message: z.string() }) })

/**
 * The errors with which an attempt to connect ended: the name not found, the connection refused, TLS not established.
 * Node's HTTP client says so itself; from an error's code alone a failed connection is no different from a lost one.
 */
const beforeConnection = new WeakSet<object>()
subscribe('undici:client:connectError', (message) => {
  const error = memberOf(message, 'error')
  if (typeof error === 'object' && error !== null) beforeConnection.add(error)
})

/**
 * Requests to ServiceNow's REST API, each with the API key and within `timeoutMs`. Nothing is thrown: the caller must
 * tell a request that failed from one that may have taken effect. The key is in no answer.
 */
export function createRest(options: { url: string; apiKey: string; apiKeyHeader: string; timeoutMs: number }): Rest {
  const send = async (path: string, init: RequestInit): Promise<RestAnswer<unknown>> => {
    try {
      const response = await fetch(`${options.url}${path}`, {
        ...init,
        headers: { accept: 'application/json', [options.apiKeyHeader]: options.apiKey, ...init.headers },
        // A redirect (to a log-in page) would carry the key elsewhere.
        redirect: 'manual',
        signal: AbortSignal.timeout(options.timeoutMs),
      })
      return await readAnswer(response, init.method === 'POST')
    } catch (error) {
      return describeFailure(error, options.timeoutMs)
    }
  }
  return {
    get: (path, parameters) => send(`${path}?${new URLSearchParams(parameters)}`, { method: 'GET' }),
    post: (path, body) =>
      send(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  }
}

async function readAnswer(response: Response, isPost: boolean): Promise<RestAnswer<unknown>> {
  const { status } = response
  const detail = `HTTP ${status}`
  if (response.ok) {
    const text = await readText(response)
    if (text === null) return { kind: 'lost', reason: 'too-large', detail: `More than ${maxBytes} bytes` }
    const value = parseJson(text)
    // The page of a hibernating instance, or of a proxy.
    if (value === undefined) return { kind: 'lost', reason: 'no-answer', detail: `${detail} without JSON` }
    return { kind: 'answered', value }
  }
  const isRefusal = status >= 400 && status < 500 && status !== 408 && status !== 429
  // A gateway may refuse to hand out the answer to an order that it passed on: only ServiceNow's own words count.
  if (isRefusal && isPost && !refusal.safeParse(parseJson((await readText(response)) ?? '')).success) {
    return { kind: 'lost', reason: 'no-answer', detail: `${detail}, not in ServiceNow's words` }
  }
  if (!response.bodyUsed) await response.body?.cancel()
  if (isRefusal) return { kind: 'refused', detail }
  if (status === 429) return { kind: 'busy', detail, ...readRetryAfter(response) }
  return { kind: 'lost', reason: 'no-answer', detail }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function readText(response: Response): Promise<string | null> {
  if (response.body === null) return ''
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body) {
    size += part.byteLength
    if (size > maxBytes) return null
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function readRetryAfter(response: Response): { retryAfter?: number } {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return Number.isInteger(seconds) && seconds >= 0 ? { retryAfter: Math.min(seconds, 300) } : {}
}

function describeFailure(error: unknown, timeoutMs: number): RestAnswer<never> {
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return { kind: 'lost', reason: 'timeout', detail: `No answer within ${timeoutMs} ms` }
  }
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const code = memberOf(cause, 'code')
  const name = typeof code === 'string' ? code : error instanceof Error ? error.name : 'unknown'
  if (typeof cause === 'object' && cause !== null && beforeConnection.has(cause)) {
    return { kind: 'not-sent', detail: `Cannot connect: ${name}` }
  }
  return { kind: 'lost', reason: 'no-answer', detail: `The connection failed: ${name}` }
}

function memberOf(value: unknown, name: 'code' | 'error'): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
