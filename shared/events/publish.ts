import { Fault } from '../errors/fault.ts'
import type { Event } from './event.ts'
import { writeEvent } from './http.ts'

/** The part of fetch that publishing needs, so that a test or a tracer can stand in its place. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface PublishOptions {
  /** Milliseconds for all attempts together; default 5,000. */
  timeoutMs?: number
  /** Milliseconds before each further attempt; the default outlasts a restart of the database behind a broker. */
  delaysMs?: readonly number[]
}

/** What passes by itself: 408 and 429 by their names, 5xx by the broker's own words. */
function mayPass(status: number): boolean {
  return status === 408 || status === 429 || status >= 500
}

/**
 * Sends one event to a broker in binary mode and returns when the broker has taken it (2xx).
 * @throws Fault `broker.unavailable` where it did not, after the attempts that make sense.
 */
export async function publishEvent(
  sinkUrl: string,
  event: Event,
  fetch: Fetch,
  options: PublishOptions = {},
): Promise<void> {
  const { timeoutMs = 5_000, delaysMs = [50, 200, 500, 1_000, 2_000] } = options
  const { headers, body } = writeEvent(event)
  const signal = AbortSignal.timeout(timeoutMs)
  for (let attempt = 0; ; attempt += 1) {
    const delay = delaysMs[attempt]
    const failure = await post(sinkUrl, { method: 'POST', headers, body, signal, redirect: 'manual' }, fetch)
    if (failure === null) return
    if (!failure.again || delay === undefined || signal.aborted) {
      throw new Fault('broker.unavailable', `${event.type} ${event.id}: ${failure.detail}`, { cause: failure.cause })
    }
    await new Promise((resume) => setTimeout(resume, delay))
  }
}

type Failure = { again: boolean; detail: string; cause?: unknown }

async function post(url: string, init: RequestInit, fetch: Fetch): Promise<Failure | null> {
  try {
    const response = await fetch(url, init)
    // An unread body would keep the connection from being used again.
    await response.arrayBuffer()
    if (response.ok) return null
    return { again: mayPass(response.status), detail: `the broker answered ${response.status}` }
  } catch (cause) {
    return { again: true, detail: 'the broker was not reached', cause }
  }
}
