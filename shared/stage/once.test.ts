import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import type { Event } from '../events/event.ts'
import { createLog } from '../telemetry/log.ts'
import type { Context } from './function.ts'
import { onceInOneTransaction, onceWithLease } from './once.ts'

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

describe('in one transaction', () => {
  const build = (work?: (event: Event) => Promise<void>) =>
    onceInOneTransaction({
      consumer: 'c',
      database: db.database,
      work: async (event, sql) => {
        await sql`insert into effects values (${event.id}, '')`
        await work?.(event)
        return reply(event)
      },
    })

  test('a redelivery has no second effect and gets the same reply', async () => {
    const event = newEvent()
    const handle = build()
    const first = await handle(event, context)
    count += 100
    expect(await handle(event, context)).toEqual(first)
    expect(await effects(event)).toBe(1)
  })

  test('two deliveries at the same moment: one effect, one reply', async () => {
    const event = newEvent()
    const replies = await Promise.all([build()(event, context), build()(event, context), build()(event, context)])
    expect(new Set(replies.map((one) => JSON.stringify(one))).size).toBe(1)
    expect(await effects(event)).toBe(1)
  })

  test('a failure leaves nothing, and the next delivery does the work', async () => {
    const event = newEvent()
    await expect(
      build(async () => {
        throw new Error('crash')
      })(event, context),
    ).rejects.toThrow('crash')
    expect(await effects(event)).toBe(0)
    expect(await build()(event, context)).not.toBeNull()
    expect(await effects(event)).toBe(1)
  })

  test('two consumers take the same event independently', async () => {
    const event = newEvent()
    await build()(event, context)
    const other = onceInOneTransaction({ consumer: 'd', database: db.database, work: async () => null })
    expect(await other(event, context)).toBeNull()
  })
})

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

  test('while one works, another delivery is told to come back', async () => {
    const event = newEvent()
    const gate = Promise.withResolvers<void>()
    const entered = Promise.withResolvers<void>()
    const first = finishing(1_000, async () => {
      entered.resolve()
      await gate.promise
    })(event, context)
    await entered.promise
    await expect(finishing(1_000)(event, context)).rejects.toMatchObject({ code: 'stage.leased', status: 503 })
    gate.resolve()
    expect(await first).toEqual(await finishing(1_000)(event, context))
    expect(await effects(event)).toBe(1)
  })

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

const seen = new Map<string, Set<string>>()
async function leaseMoved(event: Event): Promise<number> {
  const [row] = await db.database<
    { until: string }[]
  >`select lease_until::text as until from inbox where event = ${event.id}`
  const times = seen.get(event.id) ?? new Set<string>()
  times.add(row?.until ?? '')
  seen.set(event.id, times)
  return times.size
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve))
}
