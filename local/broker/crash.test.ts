import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { brokerYaml, type Reply, sendEvent, startSubscriber, triggerYaml, until } from './broker.fixture.ts'
import { startBroker } from './broker.ts'
import { parseManifests } from './manifests.ts'

let database: TestDatabase
let folder: string
const children: ChildProcess[] = []
beforeEach(async () => {
  database = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'broker-crash-'))
})
afterEach(async () => {
  for (const child of children.splice(0))
    if (child.exitCode === null && child.signalCode === null) await end(child, 'SIGKILL')
  await rm(folder, { recursive: true })
  await database.drop()
})

const root = fileURLToPath(new URL('../../', import.meta.url))
const delivery = { retry: 20, backoffPolicy: 'linear', backoffDelay: 'PT0.05S' }
const yaml =
  brokerYaml() +
  triggerYaml('first', 'first', { filter: { attributes: { type: 'first' } }, delivery }) +
  triggerYaml('second', 'second', { filter: { attributes: { type: 'second' } }, delivery })

/** The broker as `make demo` runs it: a process of its own, on a port of its choice. */
async function startProcess(subscribers: Record<string, string>): Promise<{ child: ChildProcess; url: string }> {
  await writeFile(join(folder, 'all.yaml'), yaml)
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'local/broker/main.ts'], {
    cwd: root,
    env: {
      PORT: '0',
      DATABASE_URL: database.url,
      BROKER_MANIFESTS: folder,
      BROKER_SUBSCRIBERS: JSON.stringify(subscribers),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const listening = () => /"broker\.listening","url":"([^"]+)"/.exec(output)?.[1]
  await until(() => listening() !== undefined, 'the broker process')
  return { child, url: listening() ?? '' }
}

async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  child.kill(signal)
  return exited
}

const replyTo = (id: string | undefined): Reply => ({
  status: 200,
  headers: { 'ce-specversion': '1.0', 'ce-type': 'second', 'ce-source': '/first', 'ce-id': `reply-${id}` },
})

test('events that were accepted are delivered after the broker was killed and started again', async () => {
  let hanging = true
  const first = await startSubscriber(({ headers }) => (hanging ? 'hang' : replyTo(headers['ce-id'])))
  const replies = new Set<string>()
  const second = await startSubscriber(({ headers }) => {
    replies.add(headers['ce-id'] ?? '')
    return { status: 204 }
  })
  const subscribers = { first: first.url, second: second.url }
  const before = await startProcess(subscribers)
  const ids = Array.from({ length: 70 }, (_, index) => `e${index}`)
  for (const id of ids) expect(await sendEvent(before.url, { type: 'first', id })).toBe(202)
  await until(() => first.received.length === 50, 'fifty hanging deliveries')
  await end(before.child, 'SIGKILL')

  hanging = false
  const after = await startProcess(subscribers)
  await until(() => replies.size === ids.length, 'all replies')
  expect([...replies].sort()).toEqual(ids.map((id) => `reply-${id}`).sort())
  const left = () => database.database<{ n: number }[]>`select count(*)::int as n from broker.deliveries`
  await until(async () => (await left())[0]?.n === 0, 'an empty queue')
  expect(await end(after.child, 'SIGTERM')).toBe(0)
  await Promise.all([first.close(), second.close()])
})

test('killed again and again under load, it loses nothing that it accepted', async () => {
  const first = await startSubscriber(({ headers }) => replyTo(headers['ce-id']))
  const replies = new Set<string>()
  const second = await startSubscriber(({ headers }) => {
    replies.add(headers['ce-id'] ?? '')
    return { status: 204 }
  })
  const accepted: string[] = []
  let running = await startProcess({ first: first.url, second: second.url })
  for (let round = 0; round < 3; round++) {
    const sending = Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const id = `r${round}-${index}`
        const status = await sendEvent(running.url, { type: 'first', id }).catch(() => 0)
        if (status === 202) accepted.push(id)
      }),
    )
    await until(() => accepted.some((id) => id.startsWith(`r${round}-`)))
    await end(running.child, 'SIGKILL')
    await sending
    running = await startProcess({ first: first.url, second: second.url })
  }
  await until(() => accepted.every((id) => replies.has(`reply-${id}`)), 'every accepted event')
  await end(running.child, 'SIGTERM')
  await Promise.all([first.close(), second.close()])
})

test('with Postgres gone events are refused, nothing crashes, and what was owed is delivered when it is back', async () => {
  const way = await startProxy(database.url)
  const url = new URL(database.url)
  url.host = `127.0.0.1:${way.port}`
  for (const [mode, refusal] of [
    ['channel', 500],
    ['kafka', 503],
  ] as const) {
    const lines: Record<string, unknown>[] = []
    const release = Promise.withResolvers<void>()
    const first = await startSubscriber(async ({ headers }) => {
      await release.promise
      return replyTo(headers['ce-id'])
    })
    const second = await startSubscriber()
    const broker = await startBroker({
      manifests: parseManifests(yaml),
      databaseUrl: url.href,
      subscribers: { first: first.url, second: second.url },
      mode,
      log: (line) => lines.push(line),
    })
    const ready = async () => (await fetch(`${broker.url}/health/readiness`)).status
    expect(await ready()).toBe(200)
    expect(await sendEvent(broker.url, { type: 'first', id: 'owed' })).toBe(202)
    await until(() => first.received.length === 1)

    await way.cut()
    expect(await sendEvent(broker.url, { type: 'first', id: 'refused' })).toBe(refusal)
    expect(await ready()).toBe(503)
    expect((await fetch(`${broker.url}/health/liveness`)).status).toBe(200)
    release.resolve()

    await way.mend()
    await until(() => second.received.length > 0, 'the reply after the outage')
    expect(second.received[0]?.headers['ce-id']).toBe('reply-owed')
    await until(() => broker.status()['ns/first']?.pending === 0)
    expect(await sendEvent(broker.url, { type: 'first', id: 'after' })).toBe(202)
    await until(() => Object.values(broker.status()).every(({ pending }) => pending === 0))
    expect(lines.map(({ event }) => event)).toEqual(['store.lost', 'store.back'])
    await broker.stop()
    await Promise.all([first.close(), second.close()])
  }
  await way.cut()
})

/** A way to Postgres that can be cut: open connections break, new ones are refused at once. */
async function startProxy(databaseUrl: string) {
  const { hostname, port } = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    const peer = dial(Number(port), hostname)
    for (const [one, other] of [
      [socket, peer],
      [peer, socket],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  const listen = (at: number) => new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve))
  await listen(0)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  const cut = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return { port: address.port, cut, mend: () => listen(address.port) }
}
