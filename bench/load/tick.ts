import { setTimeout as pause } from 'node:timers/promises'
import { eventTypes } from '../../shared/events/catalogue.ts'

/** Milliseconds between two ticks: a PingSource's five minutes would be waited for after the last message. */
const interval = 10_000

/**
 * Sends the keeper a repair tick every ten seconds, as a PingSource does every five minutes, until told to stop. What
 * is lost is republished only once it is two minutes old, however often the keeper looks.
 */
export async function tickUntil(keeperUrl: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(interval, undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    const headers = {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-type': eventTypes.tick,
      'ce-source': '/apis/v1/namespaces/self-service-agent/pingsources/repair',
      'ce-id': crypto.randomUUID(),
    }
    // A tick that nobody takes is lost; the next one does its work.
    await fetch(keeperUrl, {
      ...{ method: 'POST', headers, body: '{"task":"repair"}', signal: AbortSignal.timeout(30_000) },
    })
      .then((response) => response.arrayBuffer())
      .catch(() => {})
  }
}
