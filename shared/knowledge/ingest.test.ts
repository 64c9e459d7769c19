import { afterAll, beforeEach, expect, test } from 'vitest'
import { createTestDatabase } from '../../test/database.ts'
import { connect } from '../store/connect.ts'
import { ingest } from './ingest.ts'
import type { Source } from './source.ts'

const fresh = await createTestDatabase()
const { database } = fresh
afterAll(() => fresh.drop())
beforeEach(() => database`delete from knowledge_sources`)

function table(name: string, version: string, rows = [{ version }]): Source {
  return { agent: 'a', name, contentHash: version, kind: 'records', rows }
}

function document(name: string, version: string, paragraphs = 3): Source {
  const sections = Array.from({ length: paragraphs }, (_, index) => ({ heading: `Part ${index}`, content: version }))
  return { agent: 'a', name, contentHash: version, kind: 'document', title: name, sections }
}

/** Everything that is stored, with the transaction that wrote each row. */
async function stored() {
  const [sources, records, passages, spellings] = await Promise.all([
    database`select *, xmin::text as written from knowledge_sources order by agent, name`,
    database`select *, xmin::text as written from records order by agent, name, number`,
    database`select *, xmin::text as written from passages order by agent, name, number`,
    database`select *, xmin::text as written from spellings order by agent, name, spelled`,
  ])
  return { sources, records, passages, spellings }
}

test('knowledge is stored as it is, in order', async () => {
  const rows = [{ 'a b': '1', c: [null, { d: 1.5 }] }, { 'a b': '' }]
  const ingested = await ingest(database, [
    { agent: 'a', name: 't', contentHash: 'x', kind: 'records', rows },
    document('d', 'Wi-Fi', 2),
  ])
  expect(ingested).toEqual({ added: ['a/t', 'a/d'], replaced: [], removed: [], unchanged: [] })
  const { records, passages, spellings } = await stored()
  expect(records.map(({ number, fields }) => ({ number, fields }))).toEqual([
    { number: 1, fields: rows[0] },
    { number: 2, fields: rows[1] },
  ])
  expect(passages.map(({ number, title, heading, content }) => [number, title, heading, content])).toEqual([
    [1, 'd', 'Part 0', 'Wi-Fi'],
    [2, 'd', 'Part 1', 'Wi-Fi'],
  ])
  expect(spellings.map(({ spelled, folded }) => [spelled, folded])).toEqual([
    ['part', 'part'],
    ['wi-fi', 'wifi'],
  ])
})

test('the same again writes nothing', async () => {
  const knowledge = [table('t', '1'), document('d', '1')]
  await ingest(database, knowledge)
  const before = await stored()
  const again = await ingest(database, knowledge)
  expect(again).toEqual({ added: [], replaced: [], removed: [], unchanged: ['a/t', 'a/d'] })
  expect(await stored()).toEqual(before)
})

test('a changed source is replaced, a gone one is removed with all its rows, and the others are not touched', async () => {
  await ingest(database, [table('same', '1'), document('changed', '1'), document('gone', '1'), table('gone-too', '1')])
  const before = await stored()
  const ingested = await ingest(database, [table('same', '1'), document('changed', '2', 1), table('new', '1')])
  expect(ingested).toEqual({
    added: ['a/new'],
    replaced: ['a/changed'],
    removed: ['a/gone', 'a/gone-too'],
    unchanged: ['a/same'],
  })
  const after = await stored()
  expect(after.sources.map(({ name }) => name)).toEqual(['changed', 'new', 'same'])
  expect(after.passages.map(({ name, content }) => [name, content])).toEqual([['changed', '2']])
  expect(after.spellings.every(({ name }) => name === 'changed')).toBe(true)
  expect(after.records.filter(({ name }) => name === 'same')).toEqual(
    before.records.filter(({ name }) => name === 'same'),
  )
})

test('a source can turn from a table into a document', async () => {
  await ingest(database, [table('t', '1')])
  await ingest(database, [document('t', '2', 1)])
  const { sources, records, passages } = await stored()
  expect([sources.length, sources[0]?.['kind'], records.length, passages.length]).toEqual([1, 'document', 0, 1])
})

test('several processes at once swap each source once', async () => {
  await ingest(database, [document('d', 'old', 50), document('gone', '1')])
  const knowledge = [document('d', 'new', 50), table('t', '1'), document('e', '1', 20)]
  const pools = Array.from({ length: 6 }, () => connect(fresh.url, { max: 1 }))
  const outcomes = await Promise.all(pools.map((pool) => ingest(pool, knowledge)))
  await Promise.all(pools.map((pool) => pool.end()))
  expect(outcomes.flatMap(({ replaced }) => replaced)).toEqual(['a/d'])
  expect(outcomes.flatMap(({ added }) => added).sort()).toEqual(['a/e', 'a/t'])
  expect(outcomes.flatMap(({ removed }) => removed)).toEqual(['a/gone'])
  const { sources, passages } = await stored()
  expect(sources.map(({ name }) => name)).toEqual(['d', 'e', 't'])
  expect(passages.filter(({ name }) => name === 'd').map(({ content }) => content)).toEqual(Array(50).fill('new'))
})

test('a reader sees the old or the new source, whole', async () => {
  const versions = Array.from({ length: 12 }, (_, index) => document('d', String(index), 40))
  await ingest(database, versions.slice(0, 1))
  const reader = connect(fresh.url, { max: 1 })
  const seen = new Set<string>()
  let over = false
  const reading = (async () => {
    while (!over) {
      const rows = await reader<{ content: string }[]>`select content from passages where agent = 'a' and name = 'd'`
      expect(rows).toHaveLength(40)
      const contents = new Set(rows.map(({ content }) => content))
      expect(contents.size).toBe(1)
      for (const content of contents) seen.add(content)
    }
  })()
  for (const version of versions) await ingest(database, [version])
  over = true
  await reading
  await reader.end()
  expect(seen.size).toBeGreaterThan(1)
})

test('a source that cannot be stored leaves the one before', async () => {
  await ingest(database, [document('d', 'old', 1)])
  const broken = { ...document('d', 'new', 1), sections: [{ heading: '', content: '\0' }] } as Source
  await expect(ingest(database, [broken])).rejects.toThrow()
  const { passages } = await stored()
  expect(passages.map(({ content }) => content)).toEqual(['old'])
})
