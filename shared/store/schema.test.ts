import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { describeSchema } from './schema.ts'

let fresh: TestDatabase
beforeAll(async () => {
  fresh = await createTestDatabase()
})
afterAll(() => fresh.drop())

test('the snapshot in git is the schema that the migrations make (scripts/migrate.ts --snapshot writes it)', async () => {
  const kept = await readFile(new URL('schema.snapshot.txt', import.meta.url), 'utf8')
  expect(await describeSchema(fresh.database)).toBe(kept)
})

test('every kind of change shows in the description', async () => {
  const before = (await describeSchema(fresh.database)).split('\n')
  await fresh.database.begin(async (sql) => {
    await sql.unsafe(`
      create table sample (
        id int generated always as identity primary key,
        word text not null default 'a' check (word <> ''),
        twice int generated always as (1 + 1) stored,
        other text);
      create unique index sample_other on sample (lower(other)) where other is not null`)
    const added = (await describeSchema(sql)).split('\n').filter((line) => !before.includes(line))
    expect(added).toEqual([
      'table sample',
      '  id integer not null identity always',
      '  other text',
      '  twice integer generated as (1 + 1)',
      "  word text not null default 'a'::text",
      '  constraint sample_pkey PRIMARY KEY (id)',
      "  constraint sample_word_check CHECK (word <> ''::text)",
      '  UNIQUE INDEX sample_other ON public.sample USING btree (lower(other)) WHERE (other IS NOT NULL)',
    ])
    await sql.unsafe('drop table sample')
  })
})
