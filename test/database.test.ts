import { expect, inject, test } from 'vitest'
import { connect } from '../shared/store/connect.ts'
import { createTestDatabase } from './database.ts'
import { prepareTemplate } from './postgres.setup.ts'

test('every test database is migrated, empty and alone', async () => {
  const [first, second] = await Promise.all([createTestDatabase(), createTestDatabase()])
  await first.database`insert into people (email) values ('alice@example.com')`
  expect(await second.database`select email from people`).toEqual([])
  const [row] = await first.database<{ name: string; encoding: string; locale: string }[]>`
    select current_database() as name, getdatabaseencoding() as encoding, datlocale as locale
    from pg_database where datname = current_database()`
  expect(new URL(first.url).pathname).toBe(`/${row?.name}`)
  expect(row).toMatchObject({ encoding: 'UTF8', locale: 'C.UTF-8' })
  await Promise.all([first.drop(), second.drop()])
})

test('ten databases at once are all made', async () => {
  const made = await Promise.all(Array.from({ length: 10 }, createTestDatabase))
  expect(new Set(made.map((one) => one.url)).size).toBe(10)
  await Promise.all(made.map((one) => one.drop()))
})

test('a leaked connection fails the test that leaks it, and the database is dropped all the same', async () => {
  const test = await createTestDatabase()
  const leak = connect(test.url, { max: 1, name: 'leaky' })
  await leak`select 1`
  await expect(test.drop()).rejects.toThrow(/left open:\nleaky: select 1/)
  await leak.end({ timeout: 1 })
  await expect(connect(test.url, { max: 1 })`select 1`).rejects.toThrow(/does not exist/)
})

test('a template of changed migrations is made anew, a current one is kept', async () => {
  const adminUrl = inject('adminUrl')
  const url = new URL(adminUrl)
  url.pathname = '/template_sample'
  await prepareTemplate(adminUrl, 'template_sample')
  const database = connect(url.href, { max: 1 })
  const isMarked = async () => (await database`select from pg_tables where tablename = 'mark'`).length === 1
  await database`create table mark (id int)`
  await prepareTemplate(adminUrl, 'template_sample')
  expect(await isMarked()).toBe(true)
  await database`update migrations set checksum = 'other' where number = 1`
  await database.end()
  await prepareTemplate(adminUrl, 'template_sample')
  const anew = connect(url.href, { max: 1 })
  expect(await anew`select from pg_tables where tablename = 'mark'`).toHaveLength(0)
  await anew.end()
  const admin = connect(adminUrl, { max: 1 })
  await admin`drop database template_sample with (force)`
  await admin.end()
})
