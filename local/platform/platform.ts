import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { ingest, readKnowledge } from '../../shared/knowledge/index.ts'
import { connect } from '../../shared/store/connect.ts'
import { migrate, readMigrations } from '../../shared/store/migrate.ts'
import { type Child, type ChildPlan, startChild } from './child.ts'
import { type KeptPart, keepUp } from './keep-up.ts'
import { type PlatformSettings, planProcesses } from './plan.ts'

export interface Platform {
  /** Its processes as they run now: one that ends by itself is started again. */
  readonly children: Child[]
  /** Resolves with sentences for a person when one had to be given up. */
  broken: Promise<string>
  /** Stops the functions, then what they stand on. */
  stop(): Promise<void>
}

export interface StartOptions {
  /** Takes sentences about what is going on, also later, when a process ended and when it is back. */
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
  const kept: KeptPart<Child>[] = []
  const stop = async (): Promise<void> => {
    for (const one of [...kept].reverse()) await one.stop()
  }
  const logs = join(settings.data, 'logs')
  const keep = async (plan: ChildPlan): Promise<void> => {
    const options = { logs, cwd: settings.root }
    const child = await startChild(plan, { ...options, ...(signal ? { signal } : {}) })
    const again = (signal: AbortSignal) => startChild(plan, { ...options, signal, appends: true })
    const log = join(logs, `${plan.name}.log`)
    kept.push(keepUp(child, { name: plan.name, log, again, say: progress, now: () => performance.now() }))
  }
  try {
    // Three at a time: each start-up is one core's work, and the order holds where it matters (broker before functions).
    const plans = planProcesses(settings)
    for (let index = 0; index < plans.length; index += 3) {
      signal?.throwIfAborted()
      const started = await Promise.allSettled(plans.slice(index, index + 3).map(keep))
      const failed = started.find((result) => result.status === 'rejected')
      if (failed) throw failed.reason
    }
  } catch (error) {
    await stop()
    throw error
  }
  return {
    get children() {
      return kept.map(({ current }) => current)
    },
    broken: Promise.race(kept.map(({ given }) => given)),
    stop,
  }
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
