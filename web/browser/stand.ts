import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { stop as stopEsbuild } from 'esbuild'
import { createIngress } from '../../functions/ingress/ingress.ts'
import { requestId } from '../../functions/ingress/request-id.ts'
import { readWebSettings } from '../../functions/ingress/web/settings.ts'
import { openKey } from '../../local/issuer/key.ts'
import { createIssuer } from '../../local/issuer/serve.ts'
import { findFreePorts } from '../../local/platform/ports.ts'
import { startS3StandIn } from '../../local/s3/start.ts'
import { employees } from '../../local/servicenow/employees.ts'
import { buildPage } from '../../scripts/bundle/page.ts'
import { openObjectStore } from '../../shared/attachments/object-store.ts'
import type { Event } from '../../shared/events/event.ts'
import { openKeys, verifyIdToken, verifyToken } from '../../shared/identity/verify.ts'
import type { DoorFunction } from '../../shared/stage/function.ts'
import { host } from '../../shared/stage/host.ts'
import { createLog } from '../../shared/telemetry/log.ts'
import { createWorld, type World } from '../../test/world.ts'

/** The page with everything behind it, in this process: the door, the stages, the issuer, the files. */
export interface Stand {
  url: string
  world: World
  /** Held, events wait at the broker until they are let go. */
  hold(): void
  letGo(): void
  /** From now on streams of events break off after so many milliseconds; 0: they do not. */
  cut(ms: number): void
  /** The next so many calls of the API find a function that is not there yet. */
  sleep(calls: number): void
  close(): Promise<void>
}

const root = join(import.meta.dirname, '../..')
const clientId = 'self-service-agent-web'

export async function openStand(): Promise<Stand> {
  const folder = await mkdtemp(join(tmpdir(), 'page-'))
  for (const { path, contents } of await buildPage(root, join(folder, 'web'))) {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, contents)
  }
  await stopEsbuild()
  const world = await createWorld({ start: new Date() })
  const [port = 0, issuerPort = 0] = await findFreePorts(2)
  const [url, issuer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${issuerPort}`]
  const key = await openKey(folder)
  const client = { id: clientId, redirectUri: `${url}/sign-in/callback` }
  const people = employees.filter(({ active }) => active)
  const issuing = createIssuer(key, () => issuer, { client, people, now: () => new Date() })
  await once(issuing.listen(issuerPort, '127.0.0.1'), 'listening')
  const s3Keys = { accessKeyId: 'test', secretAccessKey: 'test-secret' }
  const s3 = await startS3StandIn({ ...s3Keys, bucket: 'attachments' })
  const files = { bucket: 'attachments', region: 'us-east-1', endpoint: s3.url, pathStyle: true, credentials: s3Keys }

  let held: Promise<void> | null = null
  let release = (): void => {}
  let delivered: Promise<void> = Promise.resolve()
  const publish = async (event: Event): Promise<void> => {
    delivered = delivered.then(async () => {
      await held
      await world.pipeline.deliver(event)
    })
  }
  const keys = openKeys({ keys: [key.publicJwk] })
  const settings = readWebSettings(
    {
      WEB_URL: url,
      WEB_SESSION_KEY: randomBytes(32).toString('base64'),
      WEB_CLIENT_ID: clientId,
      WEB_DIR: join(folder, 'web'),
    },
    issuer,
  )
  if (settings === null) throw new Error('the page has no settings')
  const ingress = createIngress({
    database: world.db.database,
    publish,
    brokerReady: async () => {},
    verify: (token) => verifyToken(token, { issuer, audience: 'self-service-agent', keys }),
    web: { settings, fetch, verify: (token, expected) => verifyIdToken(token, { issuer, keys, ...expected }) },
    now: () => new Date(),
    newId: () => requestId(new Date(), randomBytes),
    randomBytes,
    log: createLog({}, { level: 'error' }),
    channels: ['email', 'slack'].map((name) => ({
      name,
      reach: (identities) => identities.find((one) => one.startsWith(`${name}:`)) ?? null,
    })),
    attachments: { store: openObjectStore(files), limit: 1_048_576 },
  })
  let asleep = 0
  let cutAfter = 0
  // As Knative's activator answers while no instance is ready in time.
  const door: DoorFunction = {
    ...ingress,
    async fetch(request) {
      if (cutAfter > 0 && new URL(request.url).pathname === '/api/v1/events') {
        return breakOff(await ingress.fetch(request), cutAfter)
      }
      if (!new URL(request.url).pathname.startsWith('/api/') || asleep === 0) return await ingress.fetch(request)
      asleep -= 1
      return new Response('no healthy upstream', { status: 503 })
    },
  }
  const server = await host(door, { port, hostname: '127.0.0.1', log: createLog({}, { level: 'error' }) })
  return {
    url,
    world,
    hold() {
      held = new Promise((resolve) => {
        release = resolve
      })
    },
    letGo() {
      held = null
      release()
    },
    cut(ms) {
      cutAfter = ms
    },
    sleep(calls) {
      asleep = calls
    },
    async close() {
      release()
      await delivered
      await server.close()
      issuing.close()
      issuing.closeAllConnections()
      await s3.close()
      await world.close()
      await rm(folder, { recursive: true })
    },
  }
}

/** The answer as far as it got in that time. */
function breakOff(answer: Response, ms: number): Response {
  const reader = answer.body?.getReader()
  const over = AbortSignal.timeout(ms)
  const late = new Promise<null>((resolve) => over.addEventListener('abort', () => resolve(null)))
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const read = await Promise.race([reader?.read(), late])
      if (read?.value !== undefined) return controller.enqueue(read.value)
      await reader?.cancel()
      controller.close()
    },
  })
  return new Response(body, { status: answer.status, headers: answer.headers })
}
