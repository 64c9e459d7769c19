import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../errors/fault.ts'
import type { Database } from './connect.ts'

export interface Migration {
  /** The file's number: 0001-core.sql is 1. */
  number: number
  name: string
  checksum: string
  sql: string
}

/** Reads the numbered migrations of a folder, in order. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}-.+\.sql$/.test(name)).sort()
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), 'utf8')
      return { number: Number(name.slice(0, 4)), name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

/**
 * Brings a database up to the newest migration, forward only, one transaction each; returns the names that ran.
 * Several callers at once are safe: they queue on a transaction-level lock.
 * @throws Fault `store.schema-outdated` where an applied migration's file was changed since.
 */
export async function migrate(database: Database, migrations: Migration[]): Promise<string[]> {
  const applied: string[] = []
  await database.begin(async (sql) => {
    await sql`select pg_advisory_xact_lock(hashtext('self-service-agent.migrations'))`
    await sql`create table if not exists migrations (
      number int primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`
    const done = new Map(
      (await sql<{ number: number; checksum: string }[]>`select number, checksum from migrations`).map((row) => [
        row.number,
        row.checksum,
      ]),
    )
    for (const migration of migrations) {
      const checksum = done.get(migration.number)
      if (checksum === migration.checksum) continue
      if (checksum !== undefined) {
        throw new Fault(
          'store.schema-outdated',
          `${migration.name} was changed after it was applied: this database was made by another version (in the demo, make clean starts afresh)`,
        )
      }
      await sql`set local lock_timeout = '5s'`
      await sql.unsafe(migration.sql)
      await sql`insert into migrations (number, name, checksum)
        values (${migration.number}, ${migration.name}, ${migration.checksum})`
      applied.push(migration.name)
    }
  })
  return applied
}
