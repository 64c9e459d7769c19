import { Fault } from '../../errors/fault.ts'
import type { SlackAccess } from './settings.ts'

/** Slack's Web API: every method answers `ok`, and where it is not, a word for why. */
export type Answer = { ok: true; data: Record<string, unknown> } | { ok: false; error: string }

export interface SlackClient {
  /**
   * Calls a method of the Web API once.
   * @throws Fault `delivery.unavailable` (it took nothing; with `retryAfter` where it says so), `delivery.unknown`
   */
  call(method: string, body: Record<string, unknown>, signal: AbortSignal): Promise<Answer>
}

/** Before these, nothing of the request had left. */
const neverLeft = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'],
  ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'],
])

/** The client. Its package is loaded with the first call; it tries nothing again by itself, because dispatch does. */
export function openClient(settings: SlackAccess, fetcher: typeof fetch): SlackClient {
  return {
    async call(method, body, signal) {
      const { LogLevel, WebClient } = await import('./web-client.ts')
      // One a call: its signal travels in its fetch.
      const client = new WebClient(settings.botToken, {
        ...(settings.apiUrl !== null && { slackApiUrl: settings.apiUrl }),
        retryConfig: { retries: 0 },
        rejectRateLimitedCalls: true,
        allowAbsoluteUrls: false,
        logLevel: LogLevel.ERROR,
        fetch: (url, init) => fetcher(url, { ...(init as RequestInit), signal }),
      })
      try {
        signal.throwIfAborted()
        return { ok: true, data: { ...(await client.apiCall(method, body)) } }
      } catch (error) {
        return refusalOf(error) ?? raise(method, error)
      }
    },
  }
}

/** Words of Slack after which it may have done it all the same, or does it later. */
const unsettled = new Set(['fatal_error', 'internal_error', 'request_timeout'])
const later = new Set(['ratelimited', 'rate_limited', 'service_unavailable', 'message_limit_exceeded'])

function refusalOf(error: unknown): { ok: false; error: string } | null {
  const data = memberOf(error, 'data')
  const word = memberOf(data, 'error')
  // A proxy's page is no word of Slack's.
  if (typeof word !== 'string' || !/^[a-z_]{1,64}$/.test(word)) return null
  return unsettled.has(word) || later.has(word) ? null : { ok: false, error: word }
}

function raise(method: string, cause: unknown): never {
  const code = memberOf(cause, 'code')
  const word = memberOf(memberOf(cause, 'data'), 'error')
  if (code === 'slack_webapi_rate_limited_error') {
    const retryAfter = Number(memberOf(cause, 'retryAfter'))
    throw new Fault('delivery.unavailable', `slack: ${method}: too many calls`, { retryAfter, cause })
  }
  if (typeof word === 'string' && later.has(word)) {
    throw new Fault('delivery.unavailable', `slack: ${method}: ${word}`, { cause })
  }
  const network = memberOf(memberOf(memberOf(cause, 'original'), 'cause'), 'code')
  if (neverLeft.has(String(network))) {
    throw new Fault('delivery.unavailable', `slack: ${method}: ${String(network)}`, { cause })
  }
  throw new Fault('delivery.unknown', `slack: ${method}: no answer that can be read`, { cause })
}

function memberOf(thing: unknown, name: string): unknown {
  return typeof thing === 'object' && thing !== null && name in thing
    ? (thing as Record<string, unknown>)[name]
    : undefined
}
