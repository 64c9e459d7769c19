import { setTimeout as pause } from 'node:timers/promises'
import { Fault } from '../errors/fault.ts'
import type { Event } from '../events/event.ts'
import type { Database, Transaction } from '../store/connect.ts'
import { claim, finish, release, renew, take } from '../store/inbox.ts'
import { faultPoint } from './fault-point.ts'
import type { Context, EventHandler } from './function.ts'
import { type HeldLease, whileHeld } from './while-held.ts'

/**
 * Law 1 for a stage with no call outside Postgres: the claim, the work and the reply commit in one transaction. A
 * redelivery finds the row and gets the stored reply; a second delivery at the same moment waits for the first.
 */
export function onceInOneTransaction(options: {
  consumer: string
  database: Database
  work: (event: Event, sql: Transaction, context: Context) => Promise<Event | null>
}): EventHandler {
  const { consumer, database, work } = options
  return async (event, context) => {
    const reply = await database.begin(async (sql) => {
      const taken = await take(sql, { consumer, ...identity(event) })
      if (taken.kind === 'finished') return taken.reply
      const reply = await work(event, sql, context)
      if (reply !== null) await finish(sql, taken.hold, reply)
      await faultPoint(`${consumer}: before commit`)
      return reply
    })
    await faultPoint(`${consumer}: after commit`)
    return reply
  }
}

function identity(event: Event): { source: string; event: string } {
  return { source: event.source, event: event.id }
}

export interface Lease {
  /** How often this event was claimed, this time included. */
  attempts: number
  /** Aborts when the lease was lost or the process must stop; every call outside takes it. */
  signal: AbortSignal
  /**
   * Commits something before the work goes on, only if the lease still holds.
   * @throws Fault `stage.lease-lost`
   */
  record<Result>(write: (sql: Transaction) => Promise<Result>): Promise<Result>
  /**
   * Commits the work's state together with the stage's reply, only if the lease still holds; ends the lease.
   * @throws Fault `stage.lease-lost`
   */
  finish(write: (sql: Transaction) => Promise<Event | null>): Promise<Event | null>
}

/** A lease that ran out by Postgres' clock has not always by ours: milliseconds to be on the safe side. */
const marginMs = 50

/** Milliseconds between two looks at an event that another delivery has. */
const lookEveryMs = 500

/**
 * Law 1 for a stage that calls outside Postgres: a short lease with a fence, renewed only while the handler runs and
 * holding no connection meanwhile. A process that wakes up late finds its fence outdated and commits nothing. A second
 * delivery waits, holding nothing, for the other's reply or until the lease that it found would have run out: so a dead
 * process costs its event no further round of the broker. Whoever holds it still by then has renewed it, and lives.
 */
export function onceWithLease(options: {
  consumer: string
  database: Database
  /** Milliseconds a claim holds without renewal; default 3,000, the longest the design allows. */
  leaseMs?: number
  /** Milliseconds after which a handler is given up; default 100,000, longer than any Trigger waits for its answer. */
  longestMs?: number
  /** Milliseconds that a second delivery waits at most before it is refused; default a lease, and a little more. */
  patienceMs?: number
  work: (event: Event, lease: Lease, context: Context) => Promise<Event | null>
}): EventHandler {
  const { consumer, database, work, leaseMs = 3_000, longestMs = 100_000 } = options
  const { patienceMs = leaseMs + marginMs } = options

  const claimInTime = async (event: Event, context: Context) => {
    const key = { consumer, ...identity(event) }
    const leased = (cause?: unknown) => new Fault('stage.leased', `${consumer} holds ${event.id}`, { cause })
    const { signal, draining } = context
    const leave = AbortSignal.any([signal, draining].filter((one) => one !== undefined))
    let claimed = await claim(database, key, leaseMs)
    let left = claimed.kind === 'leased' ? Math.min(claimed.leftMs + marginMs, patienceMs) : 0
    while (claimed.kind === 'leased' && left > 0) {
      const milliseconds = Math.min(left, lookEveryMs)
      await pause(milliseconds, undefined, { signal: leave }).catch((cause: unknown) => {
        throw leased(cause)
      })
      left -= milliseconds
      claimed = await claim(database, key, leaseMs)
    }
    if (claimed.kind === 'leased') throw leased()
    return claimed
  }

  return async (event, context) => {
    const claimed = await claimInTime(event, context)
    if (claimed.kind === 'finished') return claimed.reply
    const { hold, attempts } = claimed
    let ending = false

    const fenced = async <Result>(name: string, write: (sql: Transaction) => Promise<Result>): Promise<Result> => {
      const result = await database.begin(async (sql) => {
        if (!(await renew(sql, hold, leaseMs))) throw new Fault('stage.lease-lost', `${consumer} ${event.id}`)
        const result = await write(sql)
        await faultPoint(`${consumer}: before ${name} commit`)
        return result
      })
      await faultPoint(`${consumer}: after ${name} commit`)
      return result as Result
    }

    const held: HeldLease = {
      ...{ name: `${consumer} ${event.id}`, leaseMs, longestMs, signal: context.signal },
      renew: () => renew(database, hold, leaseMs),
      ending: () => ending,
    }
    try {
      await faultPoint(`${consumer}: after claim`)
      return await whileHeld(held, async ({ signal }) => {
        const lease: Lease = {
          attempts,
          signal,
          record: (write) => fenced('record', write),
          finish: (write) => {
            ending = true
            return fenced('finish', async (sql) => {
              const reply = await write(sql)
              await finish(sql, hold, reply)
              return reply
            })
          },
        }
        return await work(event, lease, context)
      })
    } catch (error) {
      // Let the retry start at once instead of waiting for the lease to run out; losing this write loses only time.
      await release(database, hold).catch((cause: unknown) => context.log.warn('lease not released', { error: cause }))
      throw error
    }
  }
}
