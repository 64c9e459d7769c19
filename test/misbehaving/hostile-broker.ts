import { createKeeper } from '../../functions/keeper/keep.ts'
import { toFault } from '../../shared/errors/to-fault.ts'
import { eventTypes } from '../../shared/events/catalogue.ts'
import { chainOf, type Event } from '../../shared/events/event.ts'
import type { EventHandler } from '../../shared/stage/function.ts'
import { seeded } from '../hostile/random.ts'
import { type Pipeline, quiet } from '../pipeline.ts'
import { createSchedule } from './schedule.ts'

/** What the broker does wrong, each with its probability for one delivery. Left out: never. */
export interface Mischief {
  /** A second copy follows at once. */
  duplicate?: number
  /** A second copy follows one to six hours later. */
  later?: number
  /** Accepted, and then never delivered: the in-memory channel's process died. At most twice for one message. */
  lose?: number
  /** Two instances get it at the same moment. */
  twice?: number
  /** The stage commits and answers, and the answer gets lost: the broker tries again. */
  loseReply?: number
  /** Up to so many milliseconds late, each delivery by its own measure: that is what changes their order. */
  lateMs?: number
}

interface BrokerOptions {
  seed: number
  instances: readonly Pipeline[]
  /** Whose clocks go on together with those of the instances. */
  clocks?: readonly Pick<Pipeline, 'pass'>[]
  mischief?: Mischief
  /** True once nobody waits for anything any more. */
  settled: () => Promise<boolean>
  /** Milliseconds that the model takes, one after the other; default none. */
  paceMs?: number
  /** Deliveries at the same time; default 1, with which a seed repeats everything but the races of `twice`. */
  lanes?: number
  /** Whether all of a chain of replies share one count, as on the channel broker. */
  sharedTtl?: boolean
}

/** What the broker did. */
export interface Figures {
  deliveries: number
  /** Of an event to a stage that had had it before, for whatever reason. */
  repeated: number
  /** Copies that no publication asked for. */
  duplicates: number
  lost: number
  repliesLost: number
  /** Dropped because the chain's count had run out. */
  exhausted: number
  ticks: number
  /** Published by ticks. */
  republished: number
  givenUp: number
}

export interface HostileBroker {
  publish(event: Event): void
  /** Delivers, and ticks every five minutes, until all is settled, nothing is on its way and `more` has no more. */
  run(more?: () => Promise<Event[]>): Promise<Figures>
}

export type Stage = 'normalize' | 'route' | 'agent' | 'dispatch'

interface Delivery {
  key: string
  /** How many deliveries of this event to this stage were begun before, and this one. */
  copy: number
  consumer: Stage
  event: Event
  ttl: number
  attempt: number
}

/** Which stages take an event, as the triggers say. */
export const consumers: Record<string, Stage[]> = {
  [eventTypes.requestCreated]: ['normalize'],
  [eventTypes.requestNormalized]: ['route'],
  [eventTypes.agentHandoff]: ['route'],
  [eventTypes.agentStep]: ['agent'],
  [eventTypes.responseReady]: ['dispatch', 'route'],
}

const firstTtl = 255
const retries = 8
/** Losses of one message's events: three, and a turn might well not be found again before its time is over. */
const mostLosses = 2
const tickMs = 5 * 60_000
const hourMs = 3_600_000
/** Ticks without an end in sight: something is stuck. Five hours, after which anything lost has been sent again. */
const mostTicks = 60

/**
 * A broker that keeps its contract as badly as brokers do. What it does to a delivery follows from the seed and from
 * which delivery of which event it is, not from the moment, so that a seed does the same again. The clock is the
 * pipelines' own and goes on only where nothing is due.
 */
export function createHostileBroker(options: BrokerOptions): HostileBroker {
  const { seed, instances, clocks = [], mischief = {}, settled, paceMs = 0, lanes = 1, sharedTtl = false } = options
  const schedule = createSchedule<Delivery>()
  const copies = new Map<string, number>()
  const delivered = new Set<string>()
  const losses = new Map<string, number>()
  const figures: Figures = {
    ...{ deliveries: 0, repeated: 0, duplicates: 0, lost: 0, repliesLost: 0 },
    ...{ exhausted: 0, ticks: 0, republished: 0, givenUp: 0 },
  }
  const [first] = instances
  if (first === undefined) throw new Error('a broker needs somebody to deliver to')
  const now = () => first.now().getTime()
  const pass = (milliseconds: number) => {
    for (const clock of [...instances, ...clocks]) clock.pass(milliseconds)
  }
  const drawn = (key: string, what: string) => seeded(seed, what, key).next()
  const happens = (key: string, what: Exclude<keyof Mischief, 'lateMs'>) => drawn(key, what) < (mischief[what] ?? 0)
  let modelFree = 0
  let nextTick = now() + tickMs

  const keepers: EventHandler[] = instances.map(({ parts }) =>
    createKeeper({
      database: parts.database,
      now: first.now,
      publish: async (event) => {
        if (ticking) figures.republished += 1
        enter(event, firstTtl)
      },
    }),
  )
  let ticking = false

  const enter = (event: Event, ttl: number) => {
    if (sharedTtl && ttl <= 0) {
      figures.exhausted += 1
      return
    }
    for (const consumer of consumers[event.type] ?? []) send(consumer, event, ttl)
  }

  const send = (consumer: Stage, event: Event, ttl: number) => {
    const name = `${consumer} ${event.source} ${event.id}`
    const copy = (copies.get(name) ?? 0) + 1
    copies.set(name, copy)
    const key = `${name} ${copy}`
    if (happens(key, 'lose') && mayLose(event)) {
      figures.lost += 1
      return
    }
    const add = (which: string, delayMs: number) => {
      const late = delayMs + drawn(which, 'late') * (mischief.lateMs ?? 0)
      schedule.add({ key: which, copy, consumer, event, ttl, attempt: 0 }, afterModel(consumer, now() + late))
    }
    add(key, 0)
    // A copy's reply is published once more, and so are all that follow from it: copies of copies would soon be all there is.
    if (copy > 1) return
    const atOnce = happens(key, 'duplicate') ? [0] : []
    const hoursLater = happens(key, 'later') ? [hourMs * (1 + 5 * drawn(key, 'hours'))] : []
    for (const delay of [...atOnce, ...hoursLater]) {
      figures.duplicates += 1
      add(`${key} again`, delay)
    }
  }

  const mayLose = (event: Event) => {
    const message = chainOf(event).correlation
    const before = losses.get(message) ?? 0
    losses.set(message, before + 1)
    return before < mostLosses
  }

  /** The model answers one question after the other. */
  const afterModel = (consumer: Stage, due: number) => {
    if (consumer !== 'agent' || paceMs === 0) return due
    modelFree = Math.max(modelFree, due) + paceMs
    return modelFree
  }

  const deliver = async (delivery: Delivery): Promise<void> => {
    const { key, copy, attempt } = delivery
    const start = Math.floor(drawn(`${key} ${attempt}`, 'instance') * instances.length)
    const takers = copy === 1 && happens(`${key} ${attempt}`, 'twice') ? [0, 1] : [0]
    await Promise.all(takers.map((taker) => handOver(delivery, (start + taker) % instances.length, taker === 0)))
  }

  const handOver = async (delivery: Delivery, taker: number, retried: boolean): Promise<void> => {
    const { key, consumer, event, ttl, attempt } = delivery
    figures.deliveries += 1
    const one = `${consumer} ${event.source} ${event.id}`
    if (delivered.has(one)) figures.repeated += 1
    delivered.add(one)
    const again = async (fault: { code: string; status: number } | null) => {
      if (!retried) return
      if (attempt >= retries) await giveUp(delivery, taker, fault)
      else schedule.add({ ...delivery, attempt: attempt + 1 }, now() + 200 * 2 ** attempt)
    }
    try {
      const reply = await instances[taker]?.handlers[consumer](event, quiet)
      if (happens(`${key} ${attempt} ${taker}`, 'loseReply')) {
        figures.repliesLost += 1
        await again(null)
      } else if (reply) enter(reply, ttl - 1)
    } catch (error) {
      const fault = toFault(error)
      if (fault.code === 'stage.failed') throw error
      await (fault.class === 'retryable' ? again(fault) : giveUp(delivery, taker, fault))
    }
  }

  const giveUp = async (delivery: Delivery, taker: number, fault: { code: string; status: number } | null) => {
    figures.givenUp += 1
    const letter = {
      ...delivery.event,
      knativeerrordest: `http://${delivery.consumer}.self-service-agent.svc`,
      ...(fault && {
        knativeerrorcode: fault.status,
        knativeerrordata: Buffer.from(JSON.stringify({ code: fault.code })).toString('base64'),
      }),
    }
    await keepers[taker]?.(letter, quiet)
  }

  const tick = async () => {
    figures.ticks += 1
    nextTick = now() + tickMs
    ticking = true
    await keepers[figures.ticks % keepers.length]?.(tickAt(first.now()), quiet)
    ticking = false
  }

  const run = async (more: () => Promise<Event[]> = async () => []) => {
    const lastTick = figures.ticks + mostTicks
    for (;;) {
      const due = schedule.takeDue(now(), lanes)
      if (due.length > 0) {
        await Promise.all(due.map(deliver))
        continue
      }
      const next = schedule.next()
      if (next === null || next > nextTick) {
        if (await settled()) {
          const events = await more()
          for (const event of events) enter(event, firstTtl)
          if (events.length > 0) continue
          if (next === null) return figures
          pass(next - now())
          // Ticks in which nothing waits for anything are left out, but for one.
          if (nextTick < now()) await tick()
          continue
        }
        if (figures.ticks >= lastTick) throw new Error(`seed ${seed}: still not settled after ${mostTicks} ticks`)
      }
      pass(Math.max(0, Math.min(next ?? nextTick, nextTick) - now()))
      if (now() >= nextTick) await tick()
    }
  }
  return { publish: (event) => enter(event, firstTtl), run }
}

/** The PingSource's event at a time. */
export function tickAt(time: Date): Event {
  const id = `tick-${time.getTime()}`
  return { specversion: '1.0', id, source: '/ping', type: eventTypes.tick, data: { task: 'repair' } }
}
