import { afterAll, beforeAll, expect, test } from 'vitest'
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
  await Promise.all([hung.end(), other.end()])
}, 15_000)
