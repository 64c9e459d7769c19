import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { ingest, readKnowledge } from '../../shared/knowledge/index.ts'
import { connect } from '../../shared/store/connect.ts'
import { migrate, readMigrations } from '../../shared/store/migrate.ts'
import { type Child, startChild } from './child.ts'
import { type PlatformSettings, planProcesses } from './plan.ts'

export interface Platform {
  children: Child[]
  /** Resolves with a sentence when a process of the platform ends by itself. */
  broken: Promise<string>
  /** Stops the functions, then what they stand on. */
  stop(): Promise<void>
}

export interface StartOptions {
  /** Takes sentences about what is going on. */
  progress?: (sentence: string) => void
  /** Gives the start up; what has started by then is stopped. */
  signal?: AbortSignal
}

/** Brings the database up to date and starts every process of the platform; rejects with one clear sentence. */
export async function startPlatform(settings: PlatformSettings, start: StartOptions = {}): Promise<Platform> {
  const { progress = () => {}, signal } = start
  progress('Bringing the database up to date …')
  await prepareDatabase(settings)
  progress('Starting the broker, the model and the functions …')
  const children: Child[] = []
  let stopping = false
  const stop = async (): Promise<void> => {
    stopping = true
    for (const child of [...children].reverse()) await child.stop()
  }
  try {
    // Three at a time: each start-up is one core's work, and the order holds where it matters (broker before functions).
    const plans = planProcesses(settings)
    const options = { logs: join(settings.data, 'logs'), cwd: settings.root, ...(signal ? { signal } : {}) }
    for (let index = 0; index < plans.length; index += 3) {
      signal?.throwIfAborted()
      const started = await Promise.allSettled(plans.slice(index, index + 3).map((plan) => startChild(plan, options)))
      for (const result of started) if (result.status === 'fulfilled') children.push(result.value)
      const failed = started.find((result) => result.status === 'rejected')
      if (failed) throw failed.reason
    }
  } catch (error) {
    await stop()
    throw error
  }
  const broken = Promise.race(
    children.map(async (child) => {
      const how = await child.ended
      return stopping ? '' : `${child.name} ended (${how}); its log is in ${join(settings.data, 'logs')}.`
    }),
  )
  return { children, broken, stop }
}

async function prepareDatabase(settings: PlatformSettings): Promise<void> {
  const database = connect(settings.databaseUrl, { name: 'platform' })
  try {
    await migrate(database, await readMigrations(join(settings.root, 'shared/store/migrations')))
    await ingest(database, await readKnowledge(join(settings.root, 'agents')))
  } finally {
    await database.end({ timeout: 5 })
  }
}

/** A key pair for one run of the platform: the agent signs with one half, the tool servers check with the other. */
export function makeToolIdentity(): PlatformSettings['toolIdentity'] {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    privateKey: JSON.stringify(privateKey.export({ format: 'jwk' })),
    publicKey: JSON.stringify(publicKey.export({ format: 'jwk' })),
  }
}
