import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { quiet } from '../../../test/pipeline.ts'
import { createWorld, type World } from '../../../test/world.ts'
import type { Outgoing } from '../channel.ts'
import { createWebhook, findWebhook, rotateWebhook } from './rows.ts'
import { openWebhookSender, readRetryAfter } from './sender.ts'
import { readWebhookSettings } from './settings.ts'
import { overlapMs, secretOf, sign } from './sign.ts'
import { certificate } from './testing/certificate.ts'
import { type Receiver, startReceiver } from './testing/receiver.ts'

const settings = readWebhookSettings({
  WEBHOOK_SIGNING_KEY: 'a key of the tests, long enough for it',
  WEBHOOK_HTTP: 'true',
  WEBHOOK_PORTS: '*',
  WEBHOOK_NETWORKS: '127.0.0.0/8, ::1/128',
})
if (settings === null) throw new Error('there are no settings')
const { key, rules } = settings

let world: World
let turn: string
let receiver: Receiver
let webhooks = 0
let now = new Date('2026-11-24T09:00:00Z')
beforeAll(async () => {
  world = await createWorld()
  await world.pipeline.say('alice.johnson@company.com', 'refresh')
  const [row] = await world.db.database<{ id: string }[]>`select id from turns`
  turn = row?.id ?? ''
})
afterAll(() => world.close())
beforeEach(async () => {
  receiver = await startReceiver({ now: () => now })
})
afterEach(() => receiver.close())

/** Registers an address; its deliveries have the id 'd-1'. */
async function register(url = receiver.url): Promise<Outgoing> {
  webhooks += 1
  const id = `00000000-0000-7000-8000-${String(webhooks).padStart(12, '0')}`
  await createWebhook(world.db.database, { subject: `hr-${webhooks}`, email: null }, { id, url, now })
  receiver.secret = secretOf(key, id, 1)
  return {
    ...{ id: 'd-1', person: '', thread: id, text: '', offer: null, origin: null },
    ...{ session: '', turn, agent: '' },
  }
}
const open = (more: Partial<Parameters<typeof openWebhookSender>[1]> = {}, ofRules = rules) =>
  openWebhookSender({ key, rules: ofRules }, { database: world.db.database, now: () => now, log: quiet.log, ...more })
const send = (outgoing: Outgoing, sender = open(), signal = AbortSignal.timeout(5_000)) => sender.send(outgoing, signal)

test('an answer is pushed signed, with the fields of the API', async () => {
  expect(await send(await register())).toBe('d-1')
  expect(receiver.refused).toEqual([])
  expect(receiver.taken).toEqual([
    {
      id: 'd-1',
      body: {
        ...{ delivery_id: 'd-1', request_id: expect.any(String), session_id: expect.any(String), status: 'completed' },
        response: expect.objectContaining({
          ...{ content: expect.stringContaining('eligible'), agent_id: 'laptop-refresh' },
          ...{ requires_followup: expect.any(Boolean), processing_time_ms: expect.any(Number) },
        }),
      },
    },
  ])
})

test.each([
  [200, null],
  [201, null],
  [299, null],
  [301, 'delivery.refused'],
  [302, 'delivery.refused'],
  [307, 'delivery.refused'],
  [308, 'delivery.refused'],
  [400, 'delivery.refused'],
  [401, 'delivery.refused'],
  [404, 'delivery.refused'],
  [413, 'delivery.refused'],
  [408, 'delivery.unavailable'],
  [425, 'delivery.unavailable'],
  [429, 'delivery.unavailable'],
  [500, 'delivery.unavailable'],
  [502, 'delivery.unavailable'],
  [503, 'delivery.unavailable'],
  [504, 'delivery.unavailable'],
] as const)('what %i means: %s', async (status, code) => {
  receiver.plays.push({ status, headers: { location: receiver.url, 'content-length': '0' } })
  const sent = send(await register())
  if (code === null) await sent
  else await expect(sent).rejects.toMatchObject({ code })
  // A redirect is followed nowhere.
  expect(receiver.requests).toHaveLength(1)
})

test('a Retry-After is honoured', async () => {
  for (const [header, seconds] of [
    ['120', 120],
    ['0', 1],
    ['999999', 3_600],
    ['Tue, 24 Nov 2026 09:01:30 GMT', 90],
    ['Tue, 24 Nov 2026 08:00:00 GMT', 1],
    ['soon', undefined],
  ] as const) {
    for (const status of [429, 503]) {
      receiver.plays.push({ status, headers: { 'retry-after': header } })
      await expect(send(await register()), header).rejects.toMatchObject({
        ...{ code: 'delivery.unavailable', retryAfter: seconds },
      })
    }
  }
  expect(readRetryAfter(null, now)).toBeNull()
})

test('410 disables the webhook, and nothing more is sent there', async () => {
  receiver.plays.push({ status: 410 })
  const outgoing = await register()
  await expect(send(outgoing)).rejects.toMatchObject({ code: 'delivery.refused' })
  await expect(send(outgoing)).rejects.toMatchObject({ code: 'delivery.refused' })
  expect(receiver.requests).toHaveLength(1)
  expect(await findWebhook(world.db.database, outgoing.thread ?? '')).toMatchObject({ disabledAt: now })
  await expect(send({ ...outgoing, thread: null })).rejects.toMatchObject({ code: 'delivery.refused' })
  await expect(send({ ...outgoing, thread: "'; drop table webhooks" })).rejects.toMatchObject({
    code: 'delivery.refused',
  })
})

test('what may have arrived is unknown, and what cannot have is not', async () => {
  receiver.plays.push('lose', 'drop', 'hang')
  const outgoing = await register()
  for (let play = 0; play < 3; play += 1) {
    const sent = send(outgoing, open(), AbortSignal.timeout(play === 2 ? 300 : 5_000))
    await expect(sent).rejects.toMatchObject({ code: 'delivery.unknown' })
  }
  const gone = await startReceiver()
  await gone.close()
  await expect(send(await register(gone.url))).rejects.toMatchObject({ code: 'delivery.unavailable' })
  const never = () => new Promise<string[]>(() => {})
  const slow = send(await register('http://hooks.example.com/'), open({ resolve: never }), AbortSignal.timeout(50))
  await expect(slow).rejects.toMatchObject({ code: 'delivery.unavailable' })
})

test.each([
  ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
  ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ['a header without an end', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`],
])('an answer that is none (%s) leaves it unknown', async (_, answer) => {
  const server = createTcpServer((socket) => socket.on('error', () => {}).on('data', () => socket.end(answer)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await expect(send(await register(`http://127.0.0.1:${port}/`))).rejects.toMatchObject({ code: 'delivery.unknown' })
  await new Promise((resolve) => server.close(resolve))
})

test('a body that never comes is not waited for: the status has said it', async () => {
  const server = createServer((_, response) => void response.writeHead(200).flushHeaders())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  expect(await send(await register(`http://127.0.0.1:${port}/`), open(), AbortSignal.timeout(300))).toBe('d-1')
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

test('a body without an end is not read to it', async () => {
  let written = 0
  const server = createServer((_, response) => {
    response.writeHead(200)
    const chunk = Buffer.alloc(16_384)
    const write = (): void => {
      if (response.destroyed) return
      written += chunk.byteLength
      response.write(chunk, () => setImmediate(write))
    }
    write()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  expect(await send(await register(`http://127.0.0.1:${port}/`))).toBe('d-1')
  // What stands in the sockets' buffers between them may be more than was read.
  expect(written).toBeLessThan(16_777_216)
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

test('a name is connected to by the one address it stood for, with its name in Host', async () => {
  const answers = [['127.0.0.1'], ['169.254.169.254']]
  const resolve = async () => answers.shift() ?? []
  const outgoing = await register(`http://hooks.example.com:${receiver.port}/path?a=b`)
  await send(outgoing, open({ resolve }))
  expect(receiver.requests).toMatchObject([
    { method: 'POST', path: '/path?a=b', host: `hooks.example.com:${receiver.port}` },
  ])
  await expect(send(outgoing, open({ resolve }))).rejects.toMatchObject({ code: 'delivery.refused' })
  expect(receiver.requests).toHaveLength(1)
})

test('an address that takes no connection is followed by the next one of the same name', async () => {
  const outgoing = await register(`http://hooks.example.com:${receiver.port}/`)
  await send(outgoing, open({ resolve: async () => ['::1', '127.0.0.1'] }))
  expect(receiver.taken).toHaveLength(1)
})

test('rules that have become narrower hold for what was registered before', async () => {
  const outgoing = await register()
  await expect(send(outgoing, open({}, { ...rules, http: false }))).rejects.toMatchObject({ code: 'delivery.refused' })
  await expect(send(outgoing, open({}, { ...rules, networks: [] }))).rejects.toMatchObject({ code: 'delivery.refused' })
  expect(receiver.requests).toEqual([])
})

test('over TLS the certificate has to be of the name, whatever the address', async () => {
  const secure = await startReceiver({ now: () => now, tls: certificate })
  const resolve = async () => ['127.0.0.1']
  const outgoing = await register(`https://hooks.example.com:${secure.port}/`)
  secure.secret = receiver.secret
  expect(await send(outgoing, open({ resolve, ca: certificate.cert }))).toBe('d-1')
  expect(secure.taken).toHaveLength(1)
  for (const [url, ca] of [
    [`https://other.example.com:${secure.port}/`, certificate.cert],
    [`https://127.0.0.1:${secure.port}/`, certificate.cert],
    [`https://hooks.example.com:${secure.port}/`, undefined],
  ] as const) {
    const refused = send(await register(url), open({ resolve, ...(ca === undefined ? {} : { ca }) }))
    await expect(refused, url).rejects.toMatchObject({ code: 'delivery.unavailable' })
  }
  expect(secure.requests).toHaveLength(1)
  await secure.close()
})

test('after a rotation both secrets sign for a day, then the new one alone', async () => {
  const outgoing = await register()
  const id = outgoing.thread ?? ''
  await rotateWebhook(world.db.database, `hr-${webhooks}`, id, now)
  for (const version of [1, 2]) {
    receiver.secret = secretOf(key, id, version)
    await send(outgoing)
  }
  now = new Date(now.getTime() + overlapMs)
  await send(outgoing)
  receiver.secret = secretOf(key, id, 1)
  await expect(send(outgoing)).rejects.toMatchObject({ code: 'delivery.refused' })
  expect(receiver.taken).toHaveLength(3)
  expect(receiver.refused).toEqual(['forged'])
  expect(secretOf(key, id, 1)).not.toBe(secretOf(key, id, 2))
  expect(secretOf(key, id, 1)).not.toBe(secretOf(`${key}.`, id, 1))
})

test('the signature is that of the specification', () => {
  // The vector of the libraries' own tests (github.com/standard-webhooks/standard-webhooks, libraries/).
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const signature = sign(secret, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, '{"test": 2432232314}')
  expect(signature).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

test.each([
  ['another method', 'not POST', { method: 'PUT' }],
  ['another type', 'not JSON', { headers: { 'content-type': 'text/plain' } }],
  ['no id', 'a header is missing', { headers: { 'webhook-id': '' } }],
  ['no signature', 'a header is missing', { headers: { 'webhook-signature': '' } }],
  ['a time in words', 'no timestamp', { headers: { 'webhook-timestamp': 'now' } }],
  ['an old time', 'too old, or from the future', { age: 301 }],
  ['a time to come', 'too old, or from the future', { age: -301 }],
  ['another body', 'forged', { body: '{"a":2}' }],
  ['another id', 'forged', { headers: { 'webhook-id': 'd-2' } }],
  ['another version', 'forged', { version: 'v2' }],
  ['another secret', 'forged', { secret: `whsec_${Buffer.alloc(32).toString('base64')}` }],
  ['a secret that is too short', 'no secret', { own: 'whsec_YWJj' }],
  ['a secret without its prefix', 'no secret', { own: 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }],
] as { 0: string; 1: string; 2: Forgery }[] as [string, string, Forgery][])(
  'the stand-in refuses %s: %s',
  async (_, reason, forgery) => {
    await register()
    const good = receiver.secret
    receiver.secret = forgery.own ?? good
    const timestamp = Math.floor(now.getTime() / 1_000) - (forgery.age ?? 0)
    const signature = sign(forgery.secret ?? good, 'd-1', timestamp, '{"a":1}').replace(/^v1/, forgery.version ?? 'v1')
    const headers = {
      ...{ 'content-type': 'application/json', 'webhook-id': 'd-1' },
      ...{ 'webhook-timestamp': String(timestamp), 'webhook-signature': signature, ...forgery.headers },
    }
    await fetch(receiver.url, { method: forgery.method ?? 'POST', headers, body: forgery.body ?? '{"a":1}' })
    expect(receiver.refused).toEqual([reason])
    expect(receiver.taken).toEqual([])
  },
)

interface Forgery {
  method?: string
  headers?: Record<string, string>
  age?: number
  body?: string
  version?: string
  secret?: string
  own?: string
}
