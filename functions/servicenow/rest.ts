/** What became of a request to ServiceNow. */
export type RestAnswer<T> =
  | { kind: 'answered'; value: T }
  /** It had no effect, and may be tried again. */
  | { kind: 'not-taken'; detail: string; retryAfter?: number }
  /** It had no effect, and would have none again. */
  | { kind: 'refused'; detail: string }
  /** Nobody here knows whether it had an effect. */
  | { kind: 'lost'; detail: string; reason: 'timeout' | 'too-large' | 'no-answer' }

export interface Rest {
  get(path: string, parameters: Record<string, string>): Promise<RestAnswer<unknown>>
  post(path: string, body: unknown): Promise<RestAnswer<unknown>>
}

const maxBytes = 1024 * 1024

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
      return await readAnswer(response)
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

async function readAnswer(response: Response): Promise<RestAnswer<unknown>> {
  const { status } = response
  if (response.ok) {
    const text = await readText(response)
    if (text === null) return { kind: 'lost', reason: 'too-large', detail: `More than ${maxBytes} bytes` }
    try {
      return { kind: 'answered', value: JSON.parse(text) }
    } catch {
      // The page of a hibernating instance, or of a proxy.
      return { kind: 'lost', reason: 'no-answer', detail: `HTTP ${status} without JSON` }
    }
  }
  await response.body?.cancel()
  const detail = `HTTP ${status}`
  if (status === 429) return { kind: 'not-taken', detail, ...readRetryAfter(response) }
  if (status >= 400 && status < 500 && status !== 408) return { kind: 'refused', detail }
  return { kind: 'lost', reason: 'no-answer', detail }
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
  const code = memberOf(cause, 'code') ?? (error instanceof Error ? error.name : 'unknown')
  if (neverConnected(cause)) return { kind: 'not-taken', detail: `Cannot connect: ${code}` }
  return { kind: 'lost', reason: 'no-answer', detail: `The connection failed: ${code}` }
}

/** True where not a byte of the request can have left: the name was not found or the connection not made. */
function neverConnected(cause: unknown): boolean {
  if (cause instanceof AggregateError) return cause.errors.length > 0 && cause.errors.every(neverConnected)
  const call = memberOf(cause, 'syscall')
  return call === 'connect' || call === 'getaddrinfo' || memberOf(cause, 'code') === 'UND_ERR_CONNECT_TIMEOUT'
}

function memberOf(value: unknown, name: 'code' | 'syscall'): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const member: unknown = Reflect.get(value, name)
  return typeof member === 'string' ? member : undefined
}
