import { Fault } from '../../shared/errors/fault.ts'
import type { Fetch } from '../../shared/events/publish.ts'

/**
 * Resolves where the broker at this address takes work: its /health/readiness says so, or it has none (a Knative
 * ingress answers 404 or 405), in which case an answer at all is enough.
 * @throws Fault `broker.unavailable`
 */
export async function checkBroker(sinkUrl: string, fetch: Fetch, timeoutMs = 2_000): Promise<void> {
  const url = new URL('/health/readiness', sinkUrl).href
  const status = await ask(url, fetch, timeoutMs)
  if (status >= 500) throw new Fault('broker.unavailable', `${url} answered ${status}`)
}

async function ask(url: string, fetch: Fetch, timeoutMs: number): Promise<number> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'manual' })
    await response.arrayBuffer()
    return response.status
  } catch (cause) {
    throw new Fault('broker.unavailable', `${url} was not reached`, { cause })
  }
}
