import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { inject } from 'vitest'
import { connect, type Database } from '../shared/store/connect.ts'
import { template } from './postgres.setup.ts'

export interface TestDatabase {
  url: string
  database: Database
  /** Closes `database` and drops it. Throws where anything else is still connected: that test leaks connections. */
  drop(): Promise<void>
}

/** Makes a fresh, migrated database with a pool on it: one a test file, in `beforeAll`, dropped in `afterAll`. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const adminUrl = inject('adminUrl')
  const name = `t_${randomBytes(8).toString('hex')}`
  await withAdmin(adminUrl, (admin) => copyTemplate(admin, name))
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  const database = connect(url.href, { max: 5, name: 'test' })
  return {
    url: url.href,
    database,
    async drop() {
      await database.end({ timeout: 5 })
      const leaked = await withAdmin(adminUrl, (admin) => dropDatabase(admin, name))
      if (leaked.length > 0) throw new Error(`Connections to ${name} were left open:\n${leaked.join('\n')}`)
    },
  }
}

async function withAdmin<T>(adminUrl: string, work: (admin: Database) => Promise<T>): Promise<T> {
  const admin = connect(adminUrl, { max: 1, name: 'test-admin' })
  try {
    return await work(admin)
  } finally {
    await admin.end({ timeout: 5 })
  }
}

/** Postgres copies a template only while nobody else does, so files that start together take turns. */
async function copyTemplate(admin: Database, name: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await admin.unsafe(`create database ${name} template ${template} strategy file_copy`)
      return
    } catch (error) {
      const inUse = error instanceof Error && 'code' in error && error.code === '55006'
      if (!inUse || attempt === 200) throw error
      await pause(25)
    }
  }
}

/** Returns who was still connected two seconds after the pool was closed: a backend ends a moment after its client. */
async function dropDatabase(admin: Database, name: string): Promise<string[]> {
  const others = async () =>
    (
      await admin<{ who: string }[]>`
        select coalesce(nullif(application_name, ''), 'unnamed') || ': ' || left(query, 200) as who
        from pg_stat_activity where datname = ${name}`
    ).map((row) => row.who)
  const until = performance.now() + 2000
  let left = await others()
  while (left.length > 0 && performance.now() < until) {
    await pause(20)
    left = await others()
  }
  await admin.unsafe(`drop database ${name} with (force)`)
  return left
}
