import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { connect } from './connect.ts'

let store: TestDatabase
beforeAll(async () => {
  store = await createTestDatabase()
})
afterAll(() => store.drop())

test('a process that hangs within a transaction loses its locks, and commits nothing when it wakes', async () => {
  const [hung, other] = [connect(store.url), connect(store.url)]
  await other`create table things (name text)`
  await other`insert into things values ('as it was')`
  const locked = Promise.withResolvers<void>()
  const awake = Promise.withResolvers<void>()
  const late = hung.begin(async (sql) => {
    await sql`update things set name = 'by the one that hung'`
    locked.resolve()
    await awake.promise
    await sql`select 1`
  })
  late.catch(() => {})
  await locked.promise
  // Waits for the row's lock until Postgres has ended the other's transaction.
  await other.begin((sql) => sql`update things set name = 'by the other'`)
  awake.resolve()
  await expect(late).rejects.toThrow()
  expect(await other`select name from things`).toMatchObject([{ name: 'by the other' }])
  expect(await hung`select 1 as alive`).toMatchObject([{ alive: 1 }])
  await Promise.all([hung.end({ timeout: 1 }), other.end({ timeout: 1 })])
}, 15_000)

test('transactions that lose their connection take no place of the pool with them', async () => {
  const pool = connect(store.url, { max: 2 })
  for (let lost = 0; lost < 6; lost += 1) {
    const transaction = pool.begin(async (sql) => {
      const [backend] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`
      await store.database`select pg_terminate_backend(${backend?.pid ?? 0})`
      await sql`select 1`
    })
    await expect(transaction).rejects.toThrow()
  }
  // The last one's socket may not have closed yet: whoever gets it is refused, and tries again as a broker does.
  await vi.waitFor(async () => {
    const both = [1, 2].map(() => pool.begin((sql) => sql<{ alive: number }[]>`select 1 as alive, pg_sleep(0.05)`))
    expect(await Promise.all(both)).toMatchObject([[{ alive: 1 }], [{ alive: 1 }]])
  })
  await pool.end({ timeout: 1 })
}, 15_000)
