import type { Mailboxes } from '../../shared/channels/mailboxes.ts'
import { Fault } from '../../shared/errors/fault.ts'
import { toFault } from '../../shared/errors/to-fault.ts'
import type { Log } from '../../shared/telemetry/log.ts'

/** Milliseconds that a tick has, less than until the next one; what is left then waits for that. */
const tickMs = 40_000

/**
 * Fetches what came into the mailboxes. One that cannot be read keeps no other.
 * @throws Fault the first one's, once all were looked at
 */
export async function fetchMail(
  mailboxes: Mailboxes,
  parts: { log: Log; signal?: AbortSignal | undefined },
): Promise<void> {
  const signal = AbortSignal.any([AbortSignal.timeout(tickMs), ...(parts.signal ? [parts.signal] : [])])
  const faults: Fault[] = []
  for (const channel of mailboxes.names) {
    try {
      const { taken } = await (await mailboxes.of(channel)).fetch(signal)
      if (taken > 0) parts.log.info('messages fetched', { channel, taken })
    } catch (error) {
      faults.push(toFault(error))
    }
  }
  const [first] = faults
  // What the tick had no time for is no fault.
  if (first !== undefined && !signal.aborted) throw new Fault(first.code, first.message, { cause: first })
}
