import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as z from 'zod/mini'
import { startBroker } from './broker.ts'
import { readManifestFolder } from './manifests.ts'

// The development broker as a process:
//   PORT               where it listens (8080)
//   HOST               on which address (127.0.0.1: it asks nobody for a key)
//   DATABASE_URL       its queue, in schema `broker`
//   BROKER_MANIFESTS   folder of Knative YAML (knative/base)
//   BROKER_SUBSCRIBERS JSON object, Service name to URL
//   BROKER_MODE        channel (MTChannelBasedBroker) or kafka
const root = fileURLToPath(new URL('../../', import.meta.url))
const environment = z.object({
  PORT: z._default(z.coerce.number().check(z.int(), z.gte(0), z.lte(65_535)), 8080),
  HOST: z._default(z.string(), '127.0.0.1'),
  DATABASE_URL: z.string(),
  BROKER_MANIFESTS: z._default(z.string(), join(root, 'knative/base')),
  BROKER_SUBSCRIBERS: z.pipe(
    z.string(),
    z.pipe(
      z.transform((text: string, context) => {
        try {
          return JSON.parse(text) as unknown
        } catch {
          context.issues.push({ code: 'custom', message: 'is no JSON', input: text })
          return z.NEVER
        }
      }),
      z.record(z.string(), z.string()),
    ),
  ),
  BROKER_MODE: z._default(z.enum(['channel', 'kafka']), 'channel'),
})

function log(line: Record<string, unknown>): void {
  console.log(JSON.stringify({ time: new Date().toISOString(), part: 'broker', ...line }))
}

async function main(): Promise<void> {
  const parsed = environment.safeParse(process.env)
  if (!parsed.success) {
    for (const issue of parsed.error.issues) console.error(`${issue.path.join('.')}: ${issue.message}`)
    process.exitCode = 1
    return
  }
  const env = parsed.data
  const manifests = await readManifestFolder(env.BROKER_MANIFESTS)
  const broker = await startBroker({
    manifests,
    databaseUrl: env.DATABASE_URL,
    subscribers: env.BROKER_SUBSCRIBERS,
    mode: env.BROKER_MODE,
    port: env.PORT,
    host: env.HOST,
    log,
  })
  log({ event: 'broker.listening', url: broker.url, mode: env.BROKER_MODE, triggers: manifests.triggers.length })
  const stop = () => {
    broker.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
