import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { removePostgres } from '../local/postgres/remove.ts'
import { startPostgres } from '../local/postgres/start.ts'
import { toFault } from '../shared/errors/to-fault.ts'
import { connect } from '../shared/store/connect.ts'
import { migrate, readMigrations } from '../shared/store/migrate.ts'
import { describeSchema } from '../shared/store/schema.ts'
import { readCommand } from './command-line/read-command.ts'

const command = readCommand(
  `Usage: DATABASE_URL=… npm run migrate, npm run migrate -- --snapshot
Brings the database up to date and prints the migrations that ran. With --snapshot a throw-away database is migrated
instead, and what it then looks like is written to shared/store/schema.snapshot.txt.`,
  { flags: ['snapshot'] },
)

const store = fileURLToPath(new URL('../shared/store/', import.meta.url))

async function migrateDatabase(url: string): Promise<void> {
  const database = connect(url, { max: 1, name: 'migrate' })
  try {
    const applied = await migrate(database, await readMigrations(join(store, 'migrations')))
    for (const name of applied) console.log(`Applied ${name}`)
    if (applied.length === 0) console.log('The schema is up to date')
  } finally {
    await database.end({ timeout: 5 })
  }
}

async function writeSnapshot(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'self-service-agent-schema-'))
  const server = await startPostgres({ folder, port: 0, settings: { fsync: 'off' } })
  try {
    const database = connect(server.url, { max: 1, name: 'snapshot' })
    await migrate(database, await readMigrations(join(store, 'migrations')))
    await writeFile(join(store, 'schema.snapshot.txt'), await describeSchema(database))
    await database.end({ timeout: 5 })
  } finally {
    await server.stop('immediate')
    await removePostgres(folder)
  }
  console.log('Wrote shared/store/schema.snapshot.txt')
}

const url = process.env['DATABASE_URL']
try {
  if (command.has('snapshot')) await writeSnapshot()
  else if (url === undefined || url === '') throw new Error('Set DATABASE_URL to the database that is to be migrated')
  else await migrateDatabase(url)
} catch (error) {
  console.error(toFault(error).message)
  process.exitCode = 1
}
