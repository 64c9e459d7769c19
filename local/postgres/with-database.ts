import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Database } from '../../shared/store/connect.ts'
import { migrate, readMigrations } from '../../shared/store/migrate.ts'
import { removePostgres } from './remove.ts'
import { startPostgres } from './start.ts'

/** Runs work on a migrated, throw-away database that never waits for the disk. `name`: whose it is, in lower case. */
export async function withDatabase<Result>(
  name: string,
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), `self-service-agent-${name}-`))
  try {
    const server = await startPostgres({
      folder,
      port: 0,
      settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' },
    })
    const database = connect(server.url, { max: 5, name })
    try {
      await migrate(database, await readMigrations(join(import.meta.dirname, '../../shared/store/migrations')))
      return await work(database)
    } finally {
      await database.end({ timeout: 5 })
      await server.stop('immediate')
    }
  } finally {
    await removePostgres(folder)
  }
}
