import { Fault } from '../errors/fault.ts'

/** What the mapping needs to know about the call that failed. */
export interface FailedCall {
  /** The caller's signal: aborted means that we gave up, not the server. */
  signal: AbortSignal
  /** Our own deadline of this call. */
  deadline: AbortSignal
  timeoutMs: number
  /** The endpoint as it may be shown: without user name and password. */
  where: string
  model: string
  /** Texts that must not reach an operator's log by way of a server's error message: key, message, prompt. */
  withheld: readonly string[]
}

/**
 * Turns whatever a model call threw into the Fault that says what a retry can do about it.
 * A signal aborted with a Fault as its reason gives that Fault; any other abort is `model.timeout`.
 */
export function modelFault(error: unknown, call: FailedCall): Fault {
  if (call.signal.aborted) {
    const reason: unknown = call.signal.reason
    return Fault.is(reason)
      ? reason
      : new Fault('model.timeout', `the call to ${call.where} was given up`, { cause: error })
  }
  if (call.deadline.aborted) {
    return new Fault('model.timeout', `no answer from ${call.where} within ${call.timeoutMs} ms`, { cause: error })
  }
  if (Fault.is(error)) return error
  const status = statusOf(error)
  if (status === undefined) {
    return new Fault('model.unavailable', `${call.where}: ${reasonOf(error)}`, { cause: error })
  }
  const said = withhold(serverSays(error), call.withheld)
  const detail = `${call.where} answered ${status}${said === '' ? '' : `: ${said}`}`
  if (status === 408 || status === 504) return new Fault('model.timeout', detail)
  if (status === 429 || status === 503) return overloaded(detail, retryAfter(error))
  if (status >= 500) return new Fault('model.unavailable', detail)
  if (status === 401 || status === 403)
    return new Fault('model.misconfigured', `${call.where} refuses the key (${status})`)
  if (status === 404) return new Fault('model.misconfigured', `${detail} (model "${call.model}")`)
  return new Fault('model.misconfigured', detail)
}

function overloaded(detail: string, seconds: number | undefined): Fault {
  return new Fault('model.overloaded', detail, seconds === undefined ? {} : { retryAfter: seconds })
}

/**
 * A server's own words, fit for a log: one line of at most 300 characters, and nothing of it where it repeats twelve
 * characters on end of a text that must stay inside.
 */
function withhold(said: string, texts: readonly string[]): string {
  const line = said.replace(/[\s\p{Cc}]+/gu, ' ').trim()
  for (const text of texts) {
    const flat = text.replace(/\s+/g, ' ').trim()
    if (flat.length >= 6 && flat.length < 24 && line.includes(flat)) return '(withheld: it repeats the request)'
    for (let at = 0; at + 12 <= flat.length; at += 12) {
      if (line.includes(flat.slice(at, at + 12))) return '(withheld: it repeats the request)'
    }
  }
  return line.slice(0, 300)
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined
  return typeof error.status === 'number' ? error.status : undefined
}

function serverSays(error: unknown): string {
  return error instanceof Error ? error.message.replace(/^\d{3} /, '').replace('status code (no body)', '') : ''
}

/** The deepest cause's code and words: "fetch failed" alone helps nobody. */
function reasonOf(error: unknown): string {
  let deepest: unknown = error
  for (let depth = 0; depth < 5; depth += 1) {
    if (!(deepest instanceof Error) || deepest.cause === undefined || deepest.cause === null) break
    deepest = deepest.cause
  }
  if (deepest instanceof AggregateError) deepest = deepest.errors[0] ?? deepest
  if (deepest instanceof SyntaxError) return 'the answer broke off or is not JSON'
  return deepest instanceof Error ? deepest.message.slice(0, 200) : 'the connection failed'
}

/** Seconds of a Retry-After header: a number of seconds, or an HTTP date counted from the answer's own Date. */
function retryAfter(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('headers' in error)) return undefined
  const headers = error.headers
  if (!(headers instanceof Headers)) return undefined
  const value = headers.get('retry-after')?.trim() ?? ''
  if (/^\d{1,6}$/.test(value)) return Number(value)
  const seconds = Math.ceil((Date.parse(value) - Date.parse(headers.get('date') ?? '')) / 1_000)
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined
}
