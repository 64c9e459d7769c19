import { setTimeout as pause } from 'node:timers/promises'
import { Fault } from '../../shared/errors/fault.ts'
import { faultPoint } from '../../shared/stage/fault-point.ts'
import type { Context } from '../../shared/stage/function.ts'
import { whileHeld } from '../../shared/stage/while-held.ts'
import { isOwed } from '../../shared/store/deliveries.ts'
import {
  beginDelivery,
  endDelivery,
  holdTarget,
  keepTarget,
  type OwedDelivery,
  releaseTarget,
  type TargetHold,
  type TryEnd,
} from '../../shared/store/delivery-queue.ts'
import type { DispatchParts } from './dispatch.ts'
import { giveUp } from './give-up.ts'
import { later, trySending } from './try-sending.ts'

/** Milliseconds: the target's lease, renewed while a try runs, and the longest try. */
const leaseMs = 3_000
const longestTryMs = 15_000
const lookEveryMs = 500
const marginMs = 250

/**
 * Sends what is owed to a target, oldest first, until nothing is left. Whoever holds the target's lease sends; anybody
 * else waits until that has found what they owed, or until a dead holder's lease is over.
 * @throws Fault `delivery.unavailable` where something has to be tried later; `stage.leased`: somebody else sends, and
 * has not come to it
 */
export async function sendOwed(parts: DispatchParts, target: string, context: Context): Promise<void> {
  const hold = await holdInTime(parts, target, context)
  if (hold === null) return
  try {
    while (await sendNext(parts, hold, context));
  } finally {
    // Where this write is lost, the lease runs out by itself.
    await releaseTarget(parts.database, hold).catch((error: unknown) => {
      context.log.warn('target not released', { target, error })
    })
  }
}

/** The target's lease; null once nothing is owed there any more. */
async function holdInTime(parts: DispatchParts, target: string, context: Context): Promise<TargetHold | null> {
  const { database, patienceMs = leaseMs + marginMs } = parts
  const leased = (cause?: unknown) => new Fault('stage.leased', `somebody else sends to ${target}`, { cause })
  const leave = AbortSignal.any([context.signal, context.draining].filter((one) => one !== undefined))
  for (let waited = 0; ; waited += lookEveryMs) {
    const hold = await holdTarget(database, target, leaseMs)
    if (hold !== null) return hold
    if (!(await isOwed(database, target))) return null
    if (waited >= patienceMs) throw leased()
    await pause(lookEveryMs, undefined, { signal: leave }).catch((cause: unknown) => {
      throw leased(cause)
    })
  }
}

/** Sends the oldest; false where nothing is left, or the lease is lost. */
async function sendNext(parts: DispatchParts, hold: TargetHold, context: Context): Promise<boolean> {
  const { database, now } = parts
  const { target } = hold
  context.signal?.throwIfAborted()
  const next = await database.begin((sql) => beginDelivery(sql, hold, leaseMs, now()))
  if (next.kind === 'nothing' || next.kind === 'lost') return false
  if (next.kind === 'later') {
    const retryAfter = Math.max(1, Math.ceil((next.at.getTime() - now().getTime()) / 1_000))
    throw new Fault('delivery.unavailable', `${target}: not before ${next.at.toISOString()}`, { retryAfter })
  }
  await faultPoint('dispatch: before send')
  const end = await whileTrying(parts, hold, next.delivery, context)
  await faultPoint('dispatch: after send')
  if (end.kind !== 'delivered') {
    context.log.warn('an answer was not delivered', {
      turn: next.delivery.turn,
      target,
      end: end.kind,
      detail: end.error,
    })
  }
  return await database.begin(async (sql) => {
    if (!(await endDelivery(sql, hold, next.delivery, { end, leaseMs, now: now() }))) return false
    await giveUp(sql, parts, next.delivery, end)
    await faultPoint('dispatch: before delivery commit')
    return true
  })
}

/** One try, with the lease renewed. What never settles is left behind after its time, and nobody knows its end. */
async function whileTrying(
  parts: DispatchParts,
  hold: TargetHold,
  delivery: OwedDelivery,
  context: Context,
): Promise<TryEnd> {
  const lease = {
    ...{ name: hold.target, leaseMs, longestMs: longestTryMs, signal: context.signal },
    renew: () => keepTarget(parts.database, hold, leaseMs),
  }
  const state = { begun: delivery.unsettled }
  try {
    return await whileHeld(lease, (held) => trySending(parts, delivery, held, state))
  } catch (error) {
    return later(error, delivery, state.begun ? 'unknown' : 'again', parts.now())
  }
}
