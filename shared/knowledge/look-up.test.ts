import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { ingest } from './ingest.ts'
import { lookUp } from './look-up.ts'
import type { Row } from './source.ts'

const rows: Row[] = [
  { region: 'EMEA', months: 36, code: '007', tags: ['a', 'b'], owner: null },
  { region: 'APAC', months: 24, code: '7', tags: ['a'], owner: { name: 'x', team: 'y' } },
  { region: 'EMEA', months: 24, code: "'; drop", tags: [] },
  ...Array.from({ length: 12 }, (_, index) => ({ region: 'LATAM', months: index })),
]

let fresh: TestDatabase
beforeAll(async () => {
  fresh = await createTestDatabase()
  const common = { kind: 'records', contentHash: 'x' } as const
  await ingest(fresh.database, [
    { ...common, agent: 'a', name: 't', rows },
    { ...common, agent: 'a', name: 'other', rows: [{ region: 'EMEA' }] },
    { ...common, agent: 'b', name: 't', rows: [{ region: 'EMEA' }] },
  ])
})
afterAll(() => fresh.drop())

async function numbers(where: Row): Promise<number[]> {
  const found = await lookUp(fresh.database, { agent: 'a', table: 't', where })
  return found.map((row) => rows.findIndex((one) => JSON.stringify(sorted(one)) === JSON.stringify(sorted(row))))
}
const sorted = (row: Row) => Object.entries(row).sort(([one], [other]) => (one < other ? -1 : 1))

test.each<[string, Row, number[]]>([
  ['every given field counts', { region: 'EMEA', months: 24 }, [2]],
  ['in the order of the file', { region: 'EMEA' }, [0, 2]],
  ['past nine rows too', { region: 'LATAM' }, rows.flatMap((row, index) => (row['region'] === 'LATAM' ? [index] : []))],
  ['no field: all rows', {}, rows.map((_, index) => index)],
  ['letter case counts', { region: 'emea' }, []],
  ['blanks count', { region: 'EMEA ' }, []],
  ['a number is no text', { months: '36' }, []],
  ['a text is no number', { code: 7 }, []],
  ['leading zeros count', { code: '7' }, [1]],
  ['36.0 is the number 36', { months: 36.0 }, [0]],
  ['null is null, not absent', { owner: null }, [0]],
  ['a whole list', { tags: ['a'] }, [1]],
  ['an empty list is not any list', { tags: [] }, [2]],
  ['the order of a list counts', { tags: ['b', 'a'] }, []],
  ['part of a map is not the map', { owner: { name: 'x' } }, []],
  ['a whole map, in any order', { owner: { team: 'y', name: 'x' } }, [1]],
  ['a field that no row has', { nothing: 'x' }, []],
  ['quotes are text', { code: "'; drop" }, [2]],
])('%s: %j', async (_, where, expected) => {
  expect(await numbers(where)).toEqual(expected)
})

test('a table that is not there has no rows', async () => {
  expect(await lookUp(fresh.database, { agent: 'a', table: 'none', where: {} })).toEqual([])
  expect(await lookUp(fresh.database, { agent: 'none', table: 't', where: {} })).toEqual([])
})
