import { randomUUID } from 'node:crypto'
import { Fault } from '../../shared/errors/fault.ts'
import { backOff, type Mode } from './back-off.ts'
import type { Clock } from './clock.ts'
import { binaryHeaders, type Envelope } from './envelope.ts'
import { passes } from './filter.ts'
import { enter, withoutTtl, withTtlOf } from './hops.ts'
import { keyOf, type Trigger } from './model.ts'
import { Outage } from './outage.ts'
import { type Attempt, deadLetter, type Failure, judge } from './outcome.ts'
import type { Change, Delivery, Queue } from './queue.ts'
import type { Transport } from './transport.ts'

/** Deliveries of one Trigger under way at once: Kafka's max.poll.records. */
const width = 50
/** Kafka's default for one attempt; the channel broker has none, which no one should wait for. */
const defaultTimeoutMs = 600_000

/** A killed predecessor's last statements end within this time after our start. */
const catchUpMs = 5000

/** A Trigger with its addresses known. */
interface Route {
  trigger: Trigger
  subscriber: string
  deadLetterSink: string | undefined
}

export interface DispatcherParts {
  mode: Mode
  routes: Route[]
  queue: Queue
  transport: Transport
  clock: Clock
  /** The address that replies go to, as a dead letter names it. */
  ingressOf(trigger: Trigger): string
  log(line: Record<string, unknown>): void
}

/** What became of a Trigger's deliveries; `pending` and `retrying` now, the others since the broker started. */
export interface Counts {
  pending: number
  retrying: number
  delivered: number
  deadLettered: number
  dropped: number
}

export interface Dispatcher {
  /**
   * Takes an event for every Trigger of the broker that it passes; resolves when that is durable.
   * @throws Fault `store.unavailable`
   */
  accept(
    broker: { namespace: string; name: string },
    envelope: Envelope,
    headers: Record<string, string>,
  ): Promise<void>
  /** Takes up every delivery that the queue owes and this process doesn't have. */
  resume(): Promise<void>
  status(): Record<string, Counts>
  /** Starts nothing new and waits for what is under way, at most `milliseconds`. */
  stop(milliseconds: number): Promise<void>
}

interface Lane {
  route: Route
  ready: Delivery[]
  running: number
  counts: Counts
}

/** Delivers: from memory as soon as an event is durable, again after each back-off, never losing what Postgres has. */
export function createDispatcher(parts: DispatcherParts): Dispatcher {
  const { mode, queue, transport, clock } = parts
  const known = new Set<string>()
  const timers = new Map<string, () => void>()
  const underWay = new Set<Promise<void>>()
  const lanes = new Map<string, Lane>()
  for (const route of parts.routes) {
    const counts = { pending: 0, retrying: 0, delivered: 0, deadLettered: 0, dropped: 0 }
    lanes.set(keyOf(route.trigger), { route, ready: [], running: 0, counts })
  }
  let stopping = false
  const outage = new Outage(
    clock,
    () => queue.check(),
    () => {
      parts.log({ event: 'store.back' })
      for (const lane of lanes.values()) pump(lane)
      catchUp()
    },
  )

  function storeLost(error: unknown): void {
    if (stopping) return
    if (!outage.active)
      parts.log({ event: 'store.lost', reason: error instanceof Error ? error.message : String(error) })
    outage.begin()
  }

  function deliveriesOf(
    broker: { namespace: string; name: string },
    envelope: Envelope,
    headers: Record<string, string>,
  ) {
    const due = clock.now()
    const added: Delivery[] = []
    for (const [trigger, { route }] of lanes) {
      const { namespace, broker: name, matching } = route.trigger
      if (namespace !== broker.namespace || name !== broker.name || !passes(matching, envelope.attributes, mode))
        continue
      added.push({ id: randomUUID(), trigger, leg: 'subscriber', failed: 0, due, failure: null, headers, envelope })
    }
    return added
  }

  /** Commits a change and takes its new deliveries up. Known before they are written: nothing may take them up twice. */
  async function write(change: Change): Promise<void> {
    const added = change.added ?? []
    for (const { id } of added) known.add(id)
    try {
      await queue.write(change)
    } catch (error) {
      for (const { id } of added) known.delete(id)
      if (isStoreLost(error)) storeLost(error)
      throw error
    }
    if (change.finished !== undefined) known.delete(change.finished)
    for (const delivery of added) take(delivery)
  }

  function take(delivery: Delivery): void {
    const lane = lanes.get(delivery.trigger)
    if (lane === undefined) return
    lane.counts.pending += 1
    schedule(lane, delivery)
  }

  function schedule(lane: Lane, delivery: Delivery): void {
    const wait = delivery.due.getTime() - clock.now().getTime()
    if (wait <= 0) {
      lane.ready.push(delivery)
      pump(lane)
      return
    }
    lane.counts.retrying += 1
    const wake = () => {
      timers.delete(delivery.id)
      lane.counts.retrying -= 1
      schedule(lane, delivery)
    }
    timers.set(delivery.id, clock.after(wait, wake))
  }

  function pump(lane: Lane): void {
    while (!stopping && !outage.active && lane.running < width) {
      const delivery = lane.ready.shift()
      if (delivery === undefined) return
      lane.running += 1
      const work = deliver(lane, delivery).finally(() => {
        underWay.delete(work)
        lane.running -= 1
        pump(lane)
      })
      underWay.add(work)
    }
  }

  /** One attempt and its commit. Where the commit fails, the delivery starts again when the store is back. */
  async function deliver(lane: Lane, delivery: Delivery): Promise<void> {
    try {
      await settle(lane, delivery, await attempt(lane.route, delivery))
    } catch (error) {
      storeLost(error)
      lane.ready.push(delivery)
    }
  }

  async function attempt(route: Route, delivery: Delivery): Promise<Attempt> {
    const { trigger } = route
    const isSubscriber = delivery.leg === 'subscriber'
    const { attributes, body } = delivery.envelope
    // The channel broker's dead letters come straight from its channel, with the count still on them.
    const envelope = isSubscriber
      ? withoutTtl({ attributes, body })
      : deadLetter({ attributes, body }, delivery.failure ?? {}, route.subscriber)
    const headers = { ...delivery.headers, ...binaryHeaders(envelope), 'kn-namespace': trigger.namespace }
    const call = {
      url: isSubscriber ? route.subscriber : (route.deadLetterSink ?? route.subscriber),
      headers: isSubscriber || mode === 'kafka' ? { ...headers, prefer: 'reply' } : headers,
      body,
      timeoutMs: trigger.delivery.timeoutMs ?? defaultTimeoutMs,
    }
    try {
      return { kind: 'answered', answer: await transport(call) }
    } catch (error) {
      return { kind: 'unreachable', reason: error instanceof Error ? error.message : String(error) }
    }
  }

  async function settle(lane: Lane, delivery: Delivery, attempted: Attempt): Promise<void> {
    const outcome = judge(attempted, delivery.leg, mode)
    const finished = delivery.id
    if (outcome.kind === 'failed') return fail(lane, delivery, outcome.retryable, outcome.failure)
    if (outcome.kind === 'done') {
      await write({ finished })
    } else {
      const { trigger } = lane.route
      const entry = enter(withTtlOf(outcome.envelope, delivery.envelope, mode), mode, clock.now())
      if (entry.kind === 'exhausted') {
        // The ingress says 400 to the reply, and 400 is not retried.
        return fail(lane, delivery, false, { code: 400, destination: parts.ingressOf(trigger) })
      }
      const broker = { namespace: trigger.namespace, name: trigger.broker }
      try {
        await write({ finished, added: deliveriesOf(broker, entry.envelope, outcome.headers) })
      } catch (error) {
        if (isStoreLost(error)) throw error
        return fail(lane, delivery, true, { code: 500 })
      }
    }
    lane.counts.pending -= 1
    lane.counts[delivery.leg === 'subscriber' ? 'delivered' : 'deadLettered'] += 1
  }

  async function fail(lane: Lane, delivery: Delivery, retryable: boolean, failure: Failure): Promise<void> {
    const { trigger, deadLetterSink } = lane.route
    const failed = delivery.failed + 1
    const moved = ((): Delivery | undefined => {
      if (retryable && failed <= trigger.delivery.retry) {
        const due = new Date(clock.now().getTime() + backOff(trigger.delivery, delivery.failed, mode))
        return { ...delivery, failed, due }
      }
      if (delivery.leg === 'dead-letter' || deadLetterSink === undefined) return undefined
      return { ...delivery, leg: 'dead-letter', failed: 0, due: clock.now(), failure }
    })()
    if (moved === undefined) {
      await write({ finished: delivery.id })
      lane.counts.pending -= 1
      lane.counts.dropped += 1
      const { id, source, type } = delivery.envelope.attributes
      const code = delivery.failure?.code ?? failure.code
      parts.log({ event: 'delivery.dropped', trigger: delivery.trigger, leg: delivery.leg, id, source, type, code })
      return
    }
    const { id, leg, due } = moved
    await write({ moved: { id, leg, failed: moved.failed, due, failure: moved.failure } })
    schedule(lane, moved)
  }

  async function resume(): Promise<void> {
    for (const delivery of await queue.load(known)) {
      // Written while the rows were read.
      if (known.has(delivery.id)) continue
      known.add(delivery.id)
      if (lanes.has(delivery.trigger)) take(delivery)
      else parts.log({ event: 'delivery.orphaned', trigger: delivery.trigger, id: delivery.envelope.attributes['id'] })
    }
  }

  /** Takes up what was committed although its writer was told otherwise, or was killed as it wrote. */
  function catchUp(): void {
    if (!stopping) resume().catch(storeLost)
  }

  return {
    async accept(broker, envelope, headers) {
      const added = deliveriesOf(broker, envelope, headers)
      if (added.length > 0) await write({ added })
    },
    async resume() {
      await resume()
      timers.set('catch-up', clock.after(catchUpMs, catchUp))
    },
    status: () => Object.fromEntries([...lanes].map(([name, { counts }]) => [name, { ...counts }])),
    async stop(milliseconds) {
      stopping = true
      outage.end()
      for (const cancel of timers.values()) cancel()
      const grace = Promise.withResolvers<void>()
      const cancel = clock.after(milliseconds, grace.resolve)
      await Promise.race([Promise.all(underWay), grace.promise])
      cancel()
    },
  }
}

function isStoreLost(error: unknown): boolean {
  return Fault.is(error) && error.code === 'store.unavailable'
}
