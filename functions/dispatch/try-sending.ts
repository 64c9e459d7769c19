import type { Outgoing } from '../../shared/channels/channel.ts'
import { toFault } from '../../shared/errors/to-fault.ts'
import { deterministicId } from '../../shared/events/event.ts'
import type { Held } from '../../shared/stage/while-held.ts'
import type { OwedDelivery, TryEnd } from '../../shared/store/delivery-queue.ts'
import type { DispatchParts } from './dispatch.ts'

/** Milliseconds until a second, third, … try. */
const pauseMs = (attempts: number) => Math.min(1_000 * 2 ** Math.min(attempts, 12), 300_000)

/** A delivery is given up that long after it was owed: by time alone, however many tries that were. */
const longestMs = 24 * 3_600_000

/**
 * Tries a delivery once. `state.begun` says whether something may be out there, also to whoever stops waiting for this:
 * from then on only a channel that says that it did nothing leaves the try undone.
 */
export async function trySending(
  parts: DispatchParts,
  owed: OwedDelivery,
  held: Held,
  state: { begun: boolean },
): Promise<TryEnd> {
  const sender = await parts.senders.of(owed.channel)
  if (sender === null) return { kind: 'given-up', error: `this deployment has no channel ${owed.channel}` }
  const outgoing = toOutgoing(owed)
  try {
    // An earlier try that nobody knows the end of is looked up first, where the channel can be asked.
    const sent = owed.unsettled ? ((await sender.find?.(outgoing, held.signal)) ?? null) : null
    if (sent !== null) return { kind: 'delivered', reference: sent }
    held.check()
  } catch (error) {
    return later(error, owed, owed.unsettled ? 'unknown' : 'again', parts.now())
  }
  state.begun = true
  try {
    return { kind: 'delivered', reference: await sender.send(outgoing, held.signal) }
  } catch (error) {
    const { code, message } = toFault(error)
    if (code === 'delivery.refused') return { kind: 'given-up', error: `${code}: ${message}` }
    return later(error, owed, code === 'delivery.unavailable' ? 'again' : 'unknown', parts.now())
  }
}

/** A try that ended without a word for certain: what comes of it, and when. */
export function later(cause: unknown, owed: OwedDelivery, kind: 'again' | 'unknown', now: Date): TryEnd {
  const fault = toFault(cause)
  const error = `${fault.code}: ${fault.message}`
  if (now.getTime() - owed.createdAt.getTime() >= longestMs) return { kind: 'given-up', error }
  const wait = fault.retryAfter === undefined ? pauseMs(owed.attempts) : fault.retryAfter * 1_000
  return { kind, at: new Date(now.getTime() + wait), error }
}

function toOutgoing(owed: OwedDelivery): Outgoing {
  const { thread, content: text, offer, origin, session, turn, agent } = owed
  const id = deterministicId('delivery', turn, owed.target)
  return { id, person: owed.person?.email ?? '', thread, text, offer, origin, session, turn, agent }
}
