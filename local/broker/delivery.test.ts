import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import {
  type Behaviour,
  brokerYaml,
  type Subscriber,
  sendEvent,
  serviceRef,
  startSubscriber,
  triggerYaml,
  until,
} from './broker.fixture.ts'
import { type BrokerOptions, type RunningBroker, startBroker } from './broker.ts'
import { parseManifests } from './manifests.ts'

let database: TestDatabase
let open: { close(): Promise<void> }[] = []
beforeEach(async () => {
  database = await createTestDatabase()
})
afterEach(async () => {
  for (const { close } of open.reverse()) await close()
  open = []
  await database.drop()
})

async function subscriber(behave?: Behaviour): Promise<Subscriber> {
  const one = await startSubscriber(behave)
  open.push(one)
  return one
}

const dead = { deadLetterSink: serviceRef('dead') }

/** A broker with one trigger `one` on service `one`, and a dead letter sink `dead`. */
async function start(
  urls: Record<string, string>,
  delivery: Record<string, unknown>,
  rest: Partial<BrokerOptions> = {},
): Promise<RunningBroker> {
  const broker = await startBroker({
    manifests: parseManifests(brokerYaml() + triggerYaml('one', 'one', { delivery })),
    databaseUrl: database.url,
    subscribers: { dead: 'http://127.0.0.1:1', ...urls },
    ...rest,
  })
  open.push({ close: () => broker.stop(0) })
  return broker
}

const rows = async () =>
  (await database.database<{ n: number }[]>`select count(*)::int as n from broker.deliveries`)[0]?.n
const counts = (broker: RunningBroker) => broker.status()['ns/one']
const idle = (broker: RunningBroker) => until(() => counts(broker)?.pending === 0)
const reply = { 'ce-specversion': '1.0', 'ce-type': 'again', 'ce-source': '/s', 'ce-id': '2' }

test('a delivery is a binary POST with the event as it came, the headers Knative adds, and no count', async () => {
  const one = await subscriber()
  const broker = await start({ one: `${one.url}/some/path` }, {})
  const headers = {
    'ce-subject': 'caf%C3%A9',
    'ce-myextension': '42',
    'content-type': 'application/json; charset=utf-8',
    'x-request-id': 'r1',
    authorization: 'Bearer secret',
  }
  await sendEvent(broker.url, { id: 'e1', headers, body: '{"a": 1.0}' })
  await idle(broker)
  expect(one.received[0]?.body).toBe('{"a": 1.0}')
  const got = one.received[0]?.headers ?? {}
  expect(got).toMatchObject({
    'ce-specversion': '1.0',
    'ce-id': 'e1',
    'ce-source': '/test',
    'ce-type': 'com.example.happened',
    'ce-subject': 'caf%C3%A9',
    'ce-myextension': '42',
    'content-type': 'application/json; charset=utf-8',
    prefer: 'reply',
    'kn-namespace': 'ns',
    'x-request-id': 'r1',
  })
  expect(got['ce-knativearrivaltime']).toMatch(/^\d{4}-\d\d-\d\dT/)
  for (const name of ['ce-knativebrokerttl', 'authorization', 'ce-time']) expect(got).not.toHaveProperty(name)
  expect(await rows()).toBe(0)
})

test("Kafka's broker adds neither arrival time nor count, and passes no header", async () => {
  const one = await subscriber()
  const broker = await start({ one: one.url }, {}, { mode: 'kafka' })
  await sendEvent(broker.url, { headers: { 'x-request-id': 'r1' } })
  await idle(broker)
  const got = one.received[0]?.headers ?? {}
  expect(got).toMatchObject({ prefer: 'reply', 'kn-namespace': 'ns' })
  for (const name of ['ce-knativearrivaltime', 'x-request-id']) expect(got).not.toHaveProperty(name)
})

test('a loop of replies ends when the hops are used up, in the dead letter sink', async () => {
  const one = await subscriber(() => ({ status: 200, headers: reply }))
  const sink = await subscriber()
  const broker = await start({ one: one.url, dead: sink.url }, { retry: 2, ...dead })
  await sendEvent(broker.url, { headers: { 'ce-knativebrokerttl': '4' } })
  await idle(broker)
  // 3, 2 and 1 hops left; the fourth entry is refused with 400, which is not retried.
  expect(one.received).toHaveLength(3)
  expect(sink.received[0]?.headers).toMatchObject({
    'ce-knativeerrorcode': '400',
    'ce-knativeerrordest': `${broker.url}/ns/default`,
    'ce-knativebrokerttl': '1',
  })
})

test('a reply in a 202 is a reply, against the specification, as both brokers have it', async () => {
  const one = await subscriber((_, number) => ({
    status: number === 1 ? 202 : 204,
    headers: number === 1 ? reply : {},
  }))
  const broker = await start({ one: one.url }, {})
  await sendEvent(broker.url)
  await until(() => one.received.length === 2)
  expect(one.received[1]?.headers['ce-type']).toBe('again')
})

test('a dead letter is the original event and three extensions more, and its sink is retried too', async () => {
  const one = await subscriber(() => ({ status: 422, body: 'poison' }))
  const sink = await subscriber((_, number) => ({ status: number < 3 ? 503 : 200, body: 'not read' }))
  const broker = await start({ one: one.url, dead: sink.url }, { retry: 2, ...dead })
  await sendEvent(broker.url, { id: 'e1', headers: { 'ce-myextension': 'mine' }, body: '{"a": 1.0}' })
  await idle(broker)
  expect(one.received).toHaveLength(1)
  expect(sink.received).toHaveLength(3)
  for (const { headers, body } of sink.received) {
    expect(body).toBe('{"a": 1.0}')
    expect(headers).toMatchObject({
      'ce-id': 'e1',
      'ce-myextension': 'mine',
      'ce-knativeerrordest': `${one.url}/`,
      'ce-knativeerrorcode': '422',
      'ce-knativeerrordata': Buffer.from('poison').toString('base64'),
      'kn-namespace': 'ns',
    })
    expect(headers).not.toHaveProperty('prefer')
  }
  expect(counts(broker)).toEqual({ pending: 0, retrying: 0, delivered: 0, deadLettered: 1, dropped: 0 })
  expect(await rows()).toBe(0)
})

test('a dead letter that its sink never takes is dropped, and said so', async () => {
  const lines: Record<string, unknown>[] = []
  const one = await subscriber(() => ({ status: 400 }))
  const sink = await subscriber(() => ({ status: 500 }))
  const broker = await start(
    { one: one.url, dead: sink.url },
    { retry: 1, ...dead },
    { log: (line) => lines.push(line) },
  )
  await sendEvent(broker.url, { id: 'e1' })
  await idle(broker)
  expect(sink.received).toHaveLength(2)
  expect(counts(broker)).toMatchObject({ dropped: 1 })
  expect(lines).toEqual([
    expect.objectContaining({ event: 'delivery.dropped', trigger: 'ns/one', id: 'e1', code: 400 }),
  ])
})

test('a body that is no event: the channel broker asks again, Kafka gives up at once', async () => {
  for (const [mode, attempts, code] of [
    ['channel', 3, '502'],
    ['kafka', 1, undefined],
  ] as const) {
    const one = await subscriber(() => ({ status: 200, body: 'OK' }))
    const sink = await subscriber()
    const broker = await start({ one: one.url, dead: sink.url }, { retry: 2, ...dead }, { mode })
    await sendEvent(broker.url)
    await idle(broker)
    expect(one.received, mode).toHaveLength(attempts)
    expect(sink.received[0]?.headers['ce-knativeerrorcode'], mode).toBe(code)
    await broker.stop(0)
  }
})

test('an attempt that takes too long is cut, retried, and told as 500', async () => {
  const one = await subscriber(() => 'hang')
  const sink = await subscriber()
  const broker = await start({ one: one.url, dead: sink.url }, { retry: 1, timeout: 'PT0.1S', ...dead })
  await sendEvent(broker.url)
  await idle(broker)
  expect(one.received).toHaveLength(2)
  const { 'ce-knativeerrorcode': code, 'ce-knativeerrordata': data = '' } = sink.received[0]?.headers ?? {}
  expect(code).toBe('500')
  expect(Buffer.from(data, 'base64').toString()).toBe('dispatch error: no answer within 100 ms')
})

test('back-offs are waited for, and shown as retrying', async () => {
  const one = await subscriber((_, number) => ({ status: number <= 2 ? 503 : 200 }))
  const broker = await start({ one: one.url }, { retry: 3, backoffPolicy: 'exponential', backoffDelay: 'PT0.1S' })
  await sendEvent(broker.url)
  await until(() => counts(broker)?.retrying === 1)
  const status = await (await fetch(`${broker.url}/status`)).json()
  expect(status).toMatchObject({ mode: 'channel', triggers: { 'ns/one': { pending: 1, retrying: 1 } } })
  await idle(broker)
  const [first = 0, second = 0, third = 0] = one.received.map(({ at }) => at)
  expect(second - first).toBeGreaterThanOrEqual(99)
  expect(third - second).toBeGreaterThanOrEqual(198)
})

test('a connection that breaks mid-answer is a failed attempt', async () => {
  const one = await subscriber((_, number) => (number === 1 ? 'cut' : { status: 200 }))
  const broker = await start({ one: one.url }, { retry: 1 })
  await sendEvent(broker.url)
  await idle(broker)
  expect(one.received).toHaveLength(2)
  expect(counts(broker)).toMatchObject({ delivered: 1 })
})

test('at most fifty deliveries of a trigger are under way', async () => {
  let underWay = 0
  let most = 0
  const waiting: (() => void)[] = []
  const one = await subscriber(async () => {
    most = Math.max(most, ++underWay)
    await new Promise<void>((resolve) => waiting.push(resolve))
    underWay -= 1
    return { status: 200 }
  })
  const broker = await start({ one: one.url }, {})
  await Promise.all(Array.from({ length: 80 }, () => sendEvent(broker.url)))
  await until(() => waiting.length === 50)
  while (one.received.length < 80 || underWay > 0) {
    waiting.shift()?.()
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await idle(broker)
  expect(most).toBe(50)
})

test('the way to a subscriber can be tampered with: a delivery that arrives twice', async () => {
  const one = await subscriber()
  const broker = await start(
    { one: one.url },
    {},
    {
      through: (transport) => async (call) => {
        await transport(call)
        return transport(call)
      },
    },
  )
  await sendEvent(broker.url)
  await idle(broker)
  expect(one.received).toHaveLength(2)
})
