import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import type { Event } from '../events/event.ts'
import { createLog } from '../telemetry/log.ts'
import type { Context } from './function.ts'
import { onceInOneTransaction } from './once.ts'

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
