import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import type { Event } from '../events/event.ts'
import { claim } from '../store/inbox.ts'
import { createLog } from '../telemetry/log.ts'
import type { Context } from './function.ts'
import { onceWithLease } from './once.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
  await db.database`create table effects (event text, note text)`
})
afterAll(() => db.drop())

const context: Context = { log: createLog({}, { write: () => {} }) }
let count = 0
function newEvent(): Event {
  count += 1
  return { specversion: '1.0', id: `e${count}`, source: '/test', type: 't' }
}
const reply = (event: Event): Event => ({ ...event, id: `${event.id}-reply`, type: 'u', data: { n: count } })
const effects = async (event: Event): Promise<number> =>
  (await db.database`select 1 from effects where event = ${event.id}`).length

describe('with a lease', () => {
  const finishing = (leaseMs: number, before?: (event: Event) => Promise<void>) =>
    onceWithLease({
      consumer: 'leased',
      database: db.database,
      leaseMs,
      work: async (event, lease) => {
        await before?.(event)
        return lease.finish(async (sql) => {
          await sql`insert into effects values (${event.id}, 'leased')`
          return reply(event)
        })
      },
    })

  /** A delivery in the middle of its work, until the gate opens. */
  const held = async (event: Event, leaseMs: number) => {
    const gate = Promise.withResolvers<void>()
    const entered = Promise.withResolvers<void>()
    const first = finishing(leaseMs, () => {
      entered.resolve()
      return gate.promise
    })(event, context)
    await entered.promise
    return { first, gate }
  }

  test('while one works, another delivery waits a lease and is then told to come back', async () => {
    const event = newEvent()
    const { first, gate } = await held(event, 300)
    await expect(finishing(300)(event, context)).rejects.toMatchObject({ code: 'stage.leased', status: 503 })
    gate.resolve()
    expect(await first).toEqual(await finishing(300)(event, context))
    expect(await effects(event)).toBe(1)
  })

  test('one who finishes meanwhile gives the waiting delivery its reply, long before the lease runs out', async () => {
    const event = newEvent()
    const { first, gate } = await held(event, 5_000)
    const began = performance.now()
    const second = finishing(5_000)(event, context)
    // The second one has looked, and waits.
    await until(async () => performance.now() - began > 100)
    gate.resolve()
    expect(await second).toEqual(await first)
    expect(performance.now() - began).toBeLessThan(2_500)
    expect(await effects(event)).toBe(1)
  })

  test('what a dead process left leased is taken over as soon as its lease has run out, in the same delivery', async () => {
    const event = newEvent()
    await leaveLeased(event, 400)
    const began = performance.now()
    expect(await finishing(60_000)(event, context)).toEqual(reply(event))
    expect(performance.now() - began).toBeGreaterThanOrEqual(300)
    expect(await attempts(event)).toBe(2)
  })

  test('a delivery waits for as long as the lease that it found, and never for longer than one of its own', async () => {
    const event = newEvent()
    await leaveLeased(event, 60_000)
    const began = performance.now()
    await expect(finishing(200)(event, context)).rejects.toMatchObject({ code: 'stage.leased' })
    expect(performance.now() - began).toBeGreaterThanOrEqual(200)
    expect(performance.now() - began).toBeLessThan(2_000)
  })

  test('of several that wait for one dead process, one does the work', async () => {
    const event = newEvent()
    await leaveLeased(event, 150)
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => finishing(200)(event, context)))
    for (const one of outcomes) {
      expect(one).toMatchObject(
        one.status === 'fulfilled' ? { value: reply(event) } : { reason: { code: 'stage.leased' } },
      )
    }
    expect(await effects(event)).toBe(1)
  })

  test('whoever waits holds no connection', async () => {
    const events = Array.from({ length: 8 }, newEvent)
    for (const event of events) await leaveLeased(event, 800)
    let settled = 0
    const handled = events.map((event) => finishing(5_000)(event, context).finally(() => (settled += 1)))
    await until(async () => {
      const busy = await db.database`
        select from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`
      return busy.length === 0
    })
    await Promise.all(events.map(() => db.database.begin((sql) => sql`select 1`)))
    expect(settled).toBe(0)
    expect(await Promise.all(handled)).toEqual(events.map(reply))
  })

  test.each(['draining', 'signal'] as const)(
    'a process told to stop (%s) waits for nobody, and takes nothing up',
    async (name) => {
      const event = newEvent()
      await leaveLeased(event, 2_500)
      const stop = new AbortController()
      const handled = finishing(3_000)(event, { ...context, [name]: stop.signal })
      const began = performance.now()
      stop.abort()
      await expect(handled).rejects.toMatchObject({ code: 'stage.leased', status: 503 })
      expect(performance.now() - began).toBeLessThan(2_000)
      expect(await attempts(event)).toBe(1)
    },
  )

  test('a lease is renewed for as long as the work takes', async () => {
    const event = newEvent()
    const handle = finishing(150, () => until(async () => (await leaseMoved(event)) >= 3))
    await handle(event, context)
    expect(await effects(event)).toBe(1)
  })

  test('a worker that sleeps past its lease and wakes up commits nothing', async () => {
    const event = newEvent()
    const woken = Promise.withResolvers<void>()
    const asleep = Promise.withResolvers<void>()
    // The sleeper's renewals stop with it: a hang of the process, played by taking the row away from under it.
    const sleeper = finishing(60_000, async () => {
      asleep.resolve()
      await woken.promise
    })(event, context)
    await asleep.promise
    await db.database`update inbox set lease_until = now() - interval '1 s' where event = ${event.id}`
    const successor = await finishing(60_000)(event, context)
    woken.resolve()
    await expect(sleeper).rejects.toMatchObject({ code: 'stage.lease-lost' })
    expect(await effects(event)).toBe(1)
    expect(await finishing(60_000)(event, context)).toEqual(successor)
  })

  test('a lost lease aborts the calls of the one who lost it', async () => {
    const event = newEvent()
    const aborted = onceWithLease({
      consumer: 'leased',
      database: db.database,
      leaseMs: 90,
      work: async (_event, lease) => {
        await db.database`update inbox set fence = fence + 1 where event = ${event.id}`
        await new Promise((_resolve, reject) => {
          lease.signal.addEventListener('abort', () => reject(lease.signal.reason))
        })
        return null
      },
    })
    await expect(aborted(event, context)).rejects.toMatchObject({ code: 'stage.lease-lost' })
  })

  test('a renewal that comes after the commit takes nothing for lost', async () => {
    const event = newEvent()
    const late = onceWithLease({
      consumer: 'leased',
      database: db.database,
      leaseMs: 90,
      work: async (_event, lease) => {
        const done = await lease.finish(async () => {
          // It waits for the row that this transaction holds, and will find it finished.
          await until(async () => (await lockWaits()) > 0)
          return reply(event)
        })
        await until(async () => (await lockWaits()) === 0)
        return done
      },
    })
    expect(await late(event, context)).toEqual(reply(event))
  })

  test('work that never settles is given up: it keeps its event from nobody', async () => {
    const event = newEvent()
    const hangs = onceWithLease({
      consumer: 'leased',
      database: db.database,
      leaseMs: 90,
      longestMs: 200,
      work: () => new Promise(() => {}),
    })
    await expect(hangs(event, context)).rejects.toMatchObject({ code: 'stage.lease-lost', status: 503 })
    expect(await finishing(60_000)(event, context)).toEqual(reply(event))
  })

  test('a failure frees the lease, so that the retry starts at once and counts as an attempt', async () => {
    const event = newEvent()
    const attempts: number[] = []
    const handle = onceWithLease({
      consumer: 'leased',
      database: db.database,
      leaseMs: 60_000,
      work: async (_event, lease) => {
        attempts.push(lease.attempts)
        if (lease.attempts === 1) throw new Error('first try')
        return lease.finish(async () => null)
      },
    })
    await expect(handle(event, context)).rejects.toThrow('first try')
    expect(await handle(event, context)).toBeNull()
    expect(attempts).toEqual([1, 2])
  })
})

/** A claim of a process that is no more. */
async function leaveLeased(event: Event, leaseMs: number): Promise<void> {
  await claim(db.database, { consumer: 'leased', source: event.source, event: event.id }, leaseMs)
}

async function lockWaits(): Promise<number> {
  return (
    await db.database`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  ).length
}

async function attempts(event: Event): Promise<number> {
  const [row] = await db.database<{ attempts: number }[]>`select attempts from inbox where event = ${event.id}`
  return row?.attempts ?? 0
}

const seen = new Map<string, Set<string>>()
async function leaseMoved(event: Event): Promise<number> {
  const [row] = await db.database<{ until: string }[]>`
    select lease_until::text as until from inbox where event = ${event.id}`
  const times = seen.get(event.id) ?? new Set<string>()
  times.add(row?.until ?? '')
  seen.set(event.id, times)
  return times.size
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve))
}
