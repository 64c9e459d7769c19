import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, vi } from 'vitest'
import { type IssuerKey, readKey } from '../../local/issuer/key.ts'
import { signToken, type TokenToSign } from '../../local/issuer/sign.ts'
import { type S3StandIn, startS3StandIn } from '../../local/s3/start.ts'
import { openObjectStore } from '../../shared/attachments/object-store.ts'
import { openDoors } from '../../shared/channels/doors.ts'
import { receive } from '../../shared/channels/receive.ts'
import type { Event } from '../../shared/events/event.ts'
import { readEvent } from '../../shared/events/http.ts'
import { publishEvent } from '../../shared/events/publish.ts'
import { openKeys, verifyToken } from '../../shared/identity/verify.ts'
import { type Host, host } from '../../shared/stage/host.ts'
import { createLog } from '../../shared/telemetry/log.ts'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { checkBroker } from './check-broker.ts'
import { createIngress, type Ingress } from './ingress.ts'
import { requestId } from './request-id.ts'
import { readWebSettings } from './web/settings.ts'

export const audience = 'self-service-agent'

/** A broker that keeps what it is given and answers what it is told to. */
export interface Broker {
  url: string
  events: Event[]
  /** Status of its answers to events; default 202. */
  status: number
  close(): Promise<void>
}

export interface TestDoor {
  url: string
  store: TestDatabase
  broker: Broker
  ingress: Ingress
  /** Where attachments go, of `attachmentLimit` bytes at most. */
  s3: S3StandIn
  issuer: string
  issuerFolder: string
  key: IssuerKey
  lines: string[]
  token(email: string | null, more?: Partial<TokenToSign>): Promise<string>
  /** Sends JSON with the token of alice@example.com unless told otherwise. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>
  get(path: string, headers?: Record<string, string>): Promise<Response>
  /** The same, not waiting unless told otherwise, with the body of the answer read. */
  ask(body: object, headers?: Record<string, string>, path?: string): Promise<Asked>
  rowOf(id: string): Promise<StoredRow>
  /** Plays the other stages: gives a request its answer, in a conversation of its person. */
  answer(request: string, content: string, state?: State): Promise<string>
  /** Answers the first request that reached the broker since the door was calm. */
  answerNext(content: string, state?: State): Promise<string>
  /** Forgets what happened between two tests. */
  calm(): void
  close(): Promise<void>
}

type State = 'queued' | 'answered' | 'failed'

export interface Asked {
  status: number
  headers: Headers
  body: {
    request_id: string
    session_id: string | null
    status: string
    code: string
    detail: string
    response: { content: string }
  }
}

/** The columns that tests look at; the driver reads them by the table. */
export interface StoredRow extends Record<string, unknown> {
  content: string
  event: string
  accepted_at: Date
}

export const attachmentLimit = 1_048_576

export const atOnce = { prefer: 'respond-async' }

/**
 * The public door with everything that it stands on: Postgres, an issuer process, a broker. `environment`: settings of
 * channels and of the page, which the door has where they are given.
 */
export async function openTestDoor(environment: Record<string, string> = {}): Promise<TestDoor> {
  const store = await createTestDatabase()
  const broker = await startBroker()
  const issuer = await startIssuer()
  const keys = openKeys(new URL(`${issuer.url}/.well-known/jwks.json`))
  const s3Keys = { accessKeyId: 'test', secretAccessKey: 'test-secret' }
  const s3 = await startS3StandIn({ ...s3Keys, bucket: 'attachments' })
  const objects = openObjectStore({
    bucket: 'attachments',
    region: 'us-east-1',
    endpoint: s3.url,
    pathStyle: true,
    credentials: s3Keys,
  })
  const lines: string[] = []
  const log = createLog({}, { write: (line) => void lines.push(line) })
  const publish = (event: Event) => publishEvent(broker.url, event, fetch, { delaysMs: [1, 1] })
  const clock = { now: () => new Date(), newId: () => requestId(new Date(), randomBytes), randomBytes }
  const { database } = store
  const doors = openDoors(environment, {
    receive: (incoming) => receive({ ...clock, database, publish, log, messageLimit: 16_384 }, incoming),
    ...{ ...clock, database, fetch, log },
  })
  const settings = readWebSettings(environment, issuer.url)
  const ingress = createIngress({
    ...{ database, publish, doors },
    web:
      settings === null ? null : { settings, fetch, verify: () => Promise.reject(new Error('nobody signs in here')) },
    brokerReady: () => checkBroker(broker.url, fetch),
    verify: (token) => verifyToken(token, { issuer: issuer.url, audience, keys }),
    now: () => new Date(),
    newId: () => requestId(new Date(), randomBytes),
    randomBytes,
    log,
    attachments: { store: objects, limit: attachmentLimit },
    channels: ['slack', 'email'].map((name) => ({
      name,
      reach: (identities) => identities.find((identity) => identity.startsWith(`${name}:`)) ?? null,
    })),
    webhooks: { WEBHOOK_SIGNING_KEY: 'a key of the tests, long enough for it' },
  })
  const server: Host = await host(ingress, { port: 0, hostname: '127.0.0.1', log })
  const url = `http://127.0.0.1:${server.port}`
  const token = (email: string | null, more: Partial<TokenToSign> = {}) =>
    signToken(issuer.key, { issuer: issuer.url, audience, email, now: new Date(), ...more })
  const alice = `Bearer ${await token('alice@example.com')}`
  const post: TestDoor['post'] = (path, body, headers = {}) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: alice, 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    })
  const answer: TestDoor['answer'] = (request, content, state = 'answered') =>
    answerRequest(store, request, content, state)
  return {
    url,
    store,
    broker,
    ingress,
    s3,
    issuer: issuer.url,
    key: issuer.key,
    issuerFolder: issuer.folder,
    lines,
    token,
    post,
    answer,
    get: (path, headers = {}) => fetch(`${url}${path}`, { headers: { authorization: alice, ...headers } }),
    async ask(body, headers = atOnce, path = '/api/v1/requests') {
      const response = await post(path, body, headers)
      return { status: response.status, headers: response.headers, body: (await response.json()) as Asked['body'] }
    },
    async rowOf(id) {
      const [row] = await store.database<StoredRow[]>`select * from requests where id = ${id}`
      if (row === undefined) throw new Error(`there is no request ${id}`)
      return row
    },
    async answerNext(content, state) {
      await vi.waitFor(() => expect(broker.events.length).toBeGreaterThan(0), { interval: 2 })
      return answer(String(broker.events[0]?.['correlationid']), content, state)
    },
    calm() {
      broker.status = 202
      broker.events.length = 0
      lines.length = 0
      s3.slowDown(false)
      s3.cutShort(false)
    },
    async close() {
      ingress.drain()
      await server.close()
      await broker.close()
      await s3.close()
      await issuer.stop()
      await store.drop()
    },
  }
}

async function startBroker(): Promise<Broker> {
  const events: Event[] = []
  const broker = { events, status: 202 }
  const server = await host(
    {
      async fetch(request) {
        const event = await readEvent(request)
        if (broker.status < 300) events.push(event)
        return new Response(null, { status: broker.status })
      },
      async readiness() {
        if (broker.status >= 500) throw new Error('full')
      },
    },
    { port: 0, hostname: '127.0.0.1', log: createLog({}, { level: 'error' }) },
  )
  return Object.assign(broker, { url: `http://127.0.0.1:${server.port}/ns/broker`, close: () => server.close() })
}

/** The demo's issuer as the process that it is. */
export async function startIssuer(): Promise<{ url: string; folder: string; key: IssuerKey; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'issuer-'))
  const child: ChildProcess = spawn(
    process.execPath,
    [fileURLToPath(new URL('../../local/issuer/main.ts', import.meta.url))],
    { env: { PATH: process.env['PATH'], PORT: '0', DATA_DIR: folder }, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const exited = once(child, 'exit')
  if (child.stdout === null) throw new Error('the issuer has no standard output')
  const [line] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    exited.then(([code]) => Promise.reject(new Error(`the issuer ended with ${code}`))),
  ])
  const key = await readKey(folder)
  if (key === null) throw new Error('the issuer made no key')
  return {
    url: JSON.parse(String(line)).issuer,
    folder,
    key,
    async stop() {
      child.kill('SIGTERM')
      await exited
      await rm(folder, { recursive: true })
    },
  }
}

async function answerRequest(
  { database }: TestDatabase,
  request: string,
  content: string,
  state: State,
): Promise<string> {
  const response = {
    content,
    agent_id: 'laptop-refresh',
    metadata: { steps: 2 },
    processing_time_ms: 12,
    requires_followup: true,
    followup_actions: ['confirm'],
  }
  return database.begin(async (sql) => {
    const [asked] = await sql`select identity, content from requests where id = ${request}`
    const identity = String(asked?.['identity'])
    await sql`insert into people (email) values (${identity.slice('email:'.length)}) on conflict do nothing`
    const [person] = await sql`select id from people where email = ${identity.slice('email:'.length)}`
    await sql`insert into identities (identity, person) values (${identity}, ${person?.['id']}) on conflict do nothing`
    await sql`
      insert into sessions (id, person, agent, expires_at)
      values (${randomUUID()}, ${person?.['id']}, 'laptop-refresh', now() + interval '1 day')
      on conflict do nothing`
    const [session] = await sql`
      update sessions set last_message = last_message + 2 where person = ${person?.['id']} and state = 'open'
      returning id, last_message`
    const last = Number(session?.['last_message'])
    await sql`
      insert into messages (session, number, role, content, request, state, created_at) values
      (${session?.['id']}, ${last - 1}, 'employee', ${asked?.['content']}, ${request}, 'done', now()),
      (${session?.['id']}, ${last}, 'agent', ${content}, null, 'done', now())`
    await sql`
      update requests set state = ${state}, session = ${session?.['id']}, answered_at = now(),
        response = ${JSON.stringify(response)}::text::jsonb
      where id = ${request}`
    return String(session?.['id'])
  })
}
