import type { Outgoing, Sender } from '../../shared/channels/channel.ts'
import type { Senders } from '../../shared/channels/senders.ts'
import { Fault } from '../../shared/errors/fault.ts'
import { toFault } from '../../shared/errors/to-fault.ts'
import { deterministicId } from '../../shared/events/event.ts'
import { faultPoint } from '../../shared/stage/fault-point.ts'
import type { Database } from '../../shared/store/connect.ts'
import { oweDelivery, settleTurn } from '../../shared/store/deliveries.ts'
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
import { findReachable } from '../../shared/store/reachable.ts'
import type { Log } from '../../shared/telemetry/log.ts'
import { reachOn } from './reach.ts'

export interface SendParts {
  database: Database
  senders: Senders
  now(): Date
  log: Log
  signal?: AbortSignal | undefined
}

/** Milliseconds: the target's lease, renewed while a try runs; the longest try; and until a second, third, … try. */
const leaseMs = 3_000
const longestTryMs = 15_000
const pauseMs = (attempts: number) => Math.min(1_000 * 2 ** attempts, 300_000)

/** A delivery is given up after so many tries or so long. */
const mostTries = 12
const longestMs = 24 * 3_600_000

/**
 * Sends what is owed to a target, oldest first, until nothing is left. Whoever holds the target's lease sends; anybody
 * else has nothing to do, because the holder finds what they owed.
 * @throws Fault `delivery.unavailable` where something has to be tried later: then a redelivery or a tick goes on
 */
export async function sendOwed(parts: SendParts, target: string): Promise<void> {
  const { database, log } = parts
  const hold = await holdTarget(database, target, leaseMs)
  if (hold === null) return
  try {
    for (;;) {
      parts.signal?.throwIfAborted()
      const next = await database.begin((sql) => beginDelivery(sql, hold, leaseMs, parts.now()))
      if (next.kind === 'nothing' || next.kind === 'lost') return
      if (next.kind === 'later') throw tryLater(target, next.at, parts.now())
      await faultPoint('dispatch: before send')
      const end = await whileHeld(parts, hold, (signal) => trySending(parts, next.delivery, signal))
      await faultPoint('dispatch: after send')
      if (end.kind !== 'delivered') {
        log.warn('an answer was not delivered', { turn: next.delivery.turn, target, end: end.kind, detail: end.error })
      }
      if (!(await settle(parts, hold, next.delivery, end))) return
    }
  } finally {
    // Where this write is lost, the lease runs out by itself.
    await releaseTarget(database, hold).catch((error: unknown) => log.warn('target not released', { target, error }))
  }
}

function tryLater(target: string, at: Date, now: Date): Fault {
  const retryAfter = Math.max(1, Math.ceil((at.getTime() - now.getTime()) / 1_000))
  return new Fault('delivery.unavailable', `${target}: not before ${at.toISOString()}`, { retryAfter })
}

/** Runs a try with the lease renewed; it is aborted where the lease is lost, and after its time. */
async function whileHeld(
  parts: SendParts,
  hold: TargetHold,
  work: (signal: AbortSignal) => Promise<TryEnd>,
): Promise<TryEnd> {
  const lost = new AbortController()
  const renewal = setInterval(() => {
    keepTarget(parts.database, hold, leaseMs).then(
      (held) => held || lost.abort(new Fault('stage.lease-lost', hold.target)),
      (cause: unknown) => lost.abort(new Fault('stage.lease-lost', `renewal of ${hold.target} failed`, { cause })),
    )
  }, leaseMs / 3)
  const signals = [lost.signal, AbortSignal.timeout(longestTryMs), ...(parts.signal ? [parts.signal] : [])]
  try {
    return await work(AbortSignal.any(signals))
  } finally {
    clearInterval(renewal)
  }
}

async function trySending(parts: SendParts, owed: OwedDelivery, signal: AbortSignal): Promise<TryEnd> {
  try {
    const sender = await parts.senders.of(owed.channel)
    if (sender === null) return { kind: 'given-up', error: `this deployment has no channel ${owed.channel}` }
    return { kind: 'delivered', reference: await sendOnce(sender, toOutgoing(owed), owed.unsettled, signal) }
  } catch (error) {
    return endOf(toFault(error), owed, parts.now())
  }
}

/** An earlier try that nobody knows the end of is looked up first, where the channel can be asked. */
async function sendOnce(sender: Sender, outgoing: Outgoing, unsettled: boolean, signal: AbortSignal): Promise<string> {
  const sent = unsettled ? ((await sender.find?.(outgoing, signal)) ?? null) : null
  return sent ?? (await sender.send(outgoing, signal))
}

function toOutgoing(owed: OwedDelivery): Outgoing {
  return {
    id: deterministicId('delivery', owed.turn, owed.target),
    person: owed.person?.email ?? '',
    thread: owed.thread,
    text: owed.content,
    offer: owed.offer,
    origin: owed.origin,
    session: owed.session,
    turn: owed.turn,
    agent: owed.agent,
  }
}

function endOf(fault: Fault, owed: OwedDelivery, now: Date): TryEnd {
  const error = `${fault.code}: ${fault.message}`
  const spent = owed.attempts + 1 >= mostTries || now.getTime() - owed.createdAt.getTime() >= longestMs
  if (fault.class === 'terminal' || spent) return { kind: 'given-up', error }
  const at = new Date(
    now.getTime() + (fault.retryAfter === undefined ? pauseMs(owed.attempts) : fault.retryAfter * 1_000),
  )
  return { kind: fault.class === 'ambiguous' ? 'unknown' : 'again', at, error }
}

/** Stores how a try ended. What is given up goes to the next channel on which its reader is reached. */
async function settle(parts: SendParts, hold: TargetHold, owed: OwedDelivery, end: TryEnd): Promise<boolean> {
  const { database, now } = parts
  return await database.begin(async (sql) => {
    if (!(await endDelivery(sql, hold, owed, { end, leaseMs, now: now() }))) return false
    if (end.kind === 'given-up' && owed.person !== null) {
      const reader = await findReachable(sql, `email:${owed.person.email}`)
      const others = parts.senders.names.slice(parts.senders.names.indexOf(owed.channel) + 1)
      const target = reader === null ? null : await reachOn(parts.senders, others, reader)
      if (target !== null) {
        const { turn, content, offer } = owed
        await oweDelivery(sql, { turn, person: owed.person.id, target, content, offer, origin: null }, now())
      }
    }
    await settleTurn(sql, owed.turn)
    return true
  })
}
