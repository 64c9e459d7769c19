import { afterAll, beforeAll, expect, test } from 'vitest'
import { fillWithOldRows } from '../../bench/retention/fill.ts'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import type { Sql } from './connect.ts'
import { retentions } from './retention.ts'

/** What bench/retention.ts measures on a large database holds by how the statements are made: shown on a small one. */
const rows = 3_000
const limit = 50
const now = new Date('2026-11-24T09:00:00Z')
let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
  await fillWithOldRows(db.database, rows, () => {})
})
afterAll(() => db.drop())

interface Touched {
  table: string
  scanned: number
  fetched: number
  deleted: number
}

/** What the transaction has done so far, by table. */
const touched = (sql: Sql) => sql<Touched[]>`
  select relname as table, seq_scan::int as scanned, coalesce(idx_tup_fetch, 0)::int + seq_tup_read::int as fetched,
    n_tup_del::int as deleted
  from pg_stat_xact_user_tables`

test.each(retentions.map((retention) => ({ retention, name: retention.name })))(
  '$name: a statement finds its rows by an index, looks at few, and takes no more than its batch',
  async ({ retention }) => {
    // Whatever has to go before, so that there is something to delete.
    const before = retentions.slice(0, retentions.indexOf(retention))
    await db.database.begin(async (sql) => {
      // Small tables are read as a whole where that is cheaper: what is left of it shows where no index would do.
      await sql`set local enable_seqscan = off`
      for (const other of before)
        if (other.waitsForOthers || other.name === 'requests') await other.deleteSome(sql, now, rows)
      const earlier = new Map((await touched(sql)).map((row) => [row.table, row]))
      expect(await retention.deleteSome(sql, now, limit)).toBe(limit)
      for (const { table, ...after } of await touched(sql)) {
        const { scanned = 0, fetched = 0, deleted = 0 } = earlier.get(table) ?? {}
        expect(after.scanned - scanned, `${table} was read as a whole`).toBe(0)
        expect(after.fetched - fetched, `rows of ${table} that were looked at`).toBeLessThan(12 * limit)
        expect(after.deleted - deleted, `rows of ${table} that went along`).toBeLessThanOrEqual(limit)
      }
    })
  },
)
