import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { removePostgres } from '../../local/postgres/remove.ts'
import { startPostgres } from '../../local/postgres/start.ts'
import { ingest, readKnowledge } from '../../shared/knowledge/index.ts'
import { connect, type Database } from '../../shared/store/connect.ts'
import { migrate, readMigrations } from '../../shared/store/migrate.ts'
import { type Fleet, startFleet } from './fleet.ts'
import { findPgBouncer, type Pooler, startPooler } from './pooler.ts'
import type { Settings, Way } from './settings.ts'

/** A whole platform with the database below it: what the phases of one way run on. */
export interface Stack {
  way: Way
  fleet: Fleet
  /** Connects directly, whatever the functions do. */
  admin: Database
  pooler: Pooler | null
  /** Version of the server. */
  postgres: string
  /** Crashes Postgres and starts it again. */
  crash(): Promise<void>
  stop(): Promise<void>
}

interface Server {
  url: string
  crash(): Promise<void>
  stop(): Promise<void>
}

/** Starts everything; rejects with one sentence, and then nothing of it runs. */
export async function startStack(settings: Settings, way: Way, root: string): Promise<Stack> {
  const ending: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const end of ending.splice(0).reverse()) await end()
  }
  try {
    const data = await mkdtemp(join(tmpdir(), 'self-service-agent-load-'))
    ending.push(() => rm(data, { recursive: true, force: true }))
    const server = await startServer(settings, join(data, 'postgres'))
    ending.push(server.stop)
    const admin = connect(server.url, { max: 2, name: 'load-admin' })
    ending.push(() => admin.end({ timeout: 5 }))
    await migrate(admin, await readMigrations(join(root, 'shared/store/migrations')))
    await ingest(admin, await readKnowledge(join(root, 'agents')))
    const [version] = await admin<{ text: string }[]>`select current_setting('server_version') as text`
    const program = way === 'pgbouncer' ? await findPgBouncer() : null
    const pooler = program === null ? null : await startPooler(program, server.url)
    if (pooler) ending.push(pooler.stop)
    const fleet = await startFleet({
      ...{ root, data, instances: settings.instances, brokerUrl: server.url },
      functionsUrl: pooler?.url ?? server.url,
    })
    ending.push(fleet.stop)
    return { way, fleet, admin, pooler, postgres: version?.text ?? '', crash: server.crash, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startServer(settings: Settings, folder: string): Promise<Server> {
  const { databaseUrl, restartCommand } = settings
  if (databaseUrl === null) {
    const running = await startPostgres({ folder, port: 0, settings: { max_connections: '200' } })
    return {
      url: running.url,
      crash: () => running.restart('immediate'),
      async stop() {
        await running.stop('immediate')
        await removePostgres(folder)
      },
    }
  }
  const name = `load_${randomBytes(6).toString('hex')}`
  const asAdmin = async (statement: string): Promise<void> => {
    const database = connect(databaseUrl, { max: 1, name: 'load-admin' })
    try {
      await database.unsafe(statement)
    } finally {
      await database.end({ timeout: 5 })
    }
  }
  await asAdmin(`create database ${name}`)
  const url = new URL(databaseUrl)
  url.pathname = `/${name}`
  return {
    url: url.href,
    async crash() {
      await promisify(execFile)('/bin/sh', ['-c', restartCommand ?? 'exit 1'])
    },
    stop: () => asAdmin(`drop database ${name} with (force)`),
  }
}
