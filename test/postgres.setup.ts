import { mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { removePostgres } from '../local/postgres/remove.ts'
import { startPostgres } from '../local/postgres/start.ts'
import { connect, type Database } from '../shared/store/connect.ts'
import { type Migration, migrate, readMigrations } from '../shared/store/migrate.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A server where tests may create databases: user, password and a database to start from. */
    adminUrl: string
  }
}

/** The migrated database that every test file's own is copied from. */
export const template = 'template_self_service'

const migrationsFolder = fileURLToPath(new URL('../shared/store/migrations/', import.meta.url))

/** One Postgres for the whole run: TEST_DATABASE_URL's, or a throw-away one that never waits for the disk. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['TEST_DATABASE_URL']
  const server = given === undefined || given === '' ? await startThrowAway() : { url: given, end: async () => {} }
  try {
    await prepareTemplate(server.url)
  } catch (error) {
    await server.end()
    throw error
  }
  project.provide('adminUrl', server.url)
  return server.end
}

async function startThrowAway(): Promise<{ url: string; end(): Promise<void> }> {
  const folder = await mkdtemp(join(await fastestFolder(), 'self-service-agent-test-'))
  const server = await startPostgres({
    folder,
    port: 0,
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' },
  }).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true })
    throw error
  })
  return {
    url: server.url,
    async end() {
      await server.stop('immediate')
      await removePostgres(folder)
    },
  }
}

/** Memory where there is enough of it: copying a database makes 300 files, which costs a disk a quarter of a second. */
async function fastestFolder(): Promise<string> {
  const shared = await statfs('/dev/shm').catch(() => null)
  return shared !== null && shared.bavail * shared.bsize > 2 ** 30 ? '/dev/shm' : tmpdir()
}

/**
 * Migrates the template, or makes it anew where it stems from migrations that have changed since. Runs at the same
 * time against one server take turns.
 */
export async function prepareTemplate(adminUrl: string, name: string = template): Promise<void> {
  const admin = connect(adminUrl, { max: 1, name: 'test-setup' })
  try {
    const migrations = await readMigrations(migrationsFolder)
    await admin`select pg_advisory_lock(hashtext(${name}))`
    const [found] = await admin`select from pg_database where datname = ${name}`
    if (found && !(await isCurrent(adminUrl, name, migrations)))
      await admin.unsafe(`drop database ${name} with (force)`)
    else if (found) return
    // Under another name until it is whole: a killed run must leave no half-migrated template.
    const draft = `${name}_draft`
    await admin.unsafe(`drop database if exists ${draft} with (force)`)
    await admin.unsafe(`create database ${draft} template template0`)
    await withDatabase(adminUrl, draft, (database) => migrate(database, migrations))
    await admin.unsafe(`alter database ${draft} rename to ${name}`)
  } finally {
    await admin.end({ timeout: 5 })
  }
}

async function isCurrent(adminUrl: string, name: string, migrations: Migration[]): Promise<boolean> {
  const applied = await withDatabase(
    adminUrl,
    name,
    (database) => database<{ checksum: string }[]>`select checksum from migrations order by number`,
  )
  return applied.map((row) => row.checksum).join() === migrations.map((migration) => migration.checksum).join()
}

async function withDatabase<T>(adminUrl: string, name: string, work: (database: Database) => Promise<T>): Promise<T> {
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  const database = connect(url.href, { max: 1, name: 'test-setup' })
  try {
    return await work(database)
  } finally {
    await database.end({ timeout: 5 })
  }
}
