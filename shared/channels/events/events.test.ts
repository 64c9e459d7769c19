import { createHash, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createIngress } from '../../../functions/ingress/ingress.ts'
import { quiet } from '../../../test/pipeline.ts'
import { createWorld, type World } from '../../../test/world.ts'
import { type Host, host } from '../../stage/host.ts'
import type { Door } from '../channel.ts'
import type { Doors } from '../doors.ts'
import { type Recorder, recorder, sendersOf } from '../testing/recorder.ts'
import { sign } from '../webhook/sign.ts'
import { events } from './channel.ts'
import { openDoor } from './open.ts'

/** The shipped integration, the real agents, and the public door over HTTP. */
const token = 'hr-token-of-the-tests'
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const environment = {
  INTEGRATIONS_DIR: join(import.meta.dirname, '../../../integrations'),
  EVENT_KEYS: JSON.stringify({
    hr: { tokens: [createHash('sha256').update(token).digest('hex')], secrets: [secret] },
    unmapped: { tokens: [createHash('sha256').update('unmapped-token').digest('hex')] },
  }),
}
const alice = 'alice.johnson@company.com'

let mail: Recorder
let world: World
let server: Host
let url: string
beforeEach(async () => {
  mail = recorder('email')
  world = await createWorld({ senders: sendersOf({ email: mail }) })
  const { database } = world.db
  const { now } = world.pipeline
  const log = quiet.log
  const parts = { database, receive: world.pipeline.receive, now, randomBytes, fetch, log }
  let door: Promise<Door> | undefined
  const doors: Doors = {
    routes: events.routes ?? [],
    answer: async (_, call) => {
      door ??= openDoor(environment, parts, ['email'])
      return await (await door).answer(call)
    },
    close: async () => {},
  }
  const ingress = createIngress({
    ...{ database, now, randomBytes, log, doors },
    publish: async () => {},
    brokerReady: async () => {},
    verify: () => Promise.reject(new Error('no token is taken here')),
    newId: () => '00000000-0000-7000-8000-000000000001',
  })
  server = await host(ingress, { port: 0, hostname: '127.0.0.1', log })
  url = `http://127.0.0.1:${server.port}/channels/events`
})
afterEach(async () => {
  await server.close()
  await world.close()
})

const joined = (more: object = {}, data: object = {}) => ({
  ...{ specversion: '1.0', id: 'e-1', source: 'https://hr.example.com', type: 'com.example.hr.employee.joined' },
  ...{ datacontenttype: 'application/json', data: { email: alice, contract: 'permanent', ...data }, ...more },
})
interface Sending {
  event?: object
  /** In place of the event as JSON. */
  body?: string
  headers?: Record<string, string>
  path?: string
  method?: string
}
const structured = { 'content-type': 'application/cloudevents+json' }
const bearer = { ...structured, authorization: `Bearer ${token}` }
const send = async ({ event = joined(), body, headers = bearer, path = '/hr', method = 'POST' }: Sending = {}) => {
  const init = method === 'POST' ? { body: body ?? JSON.stringify(event) } : {}
  const response = await fetch(`${url}${path}`, { method, headers, ...init })
  const text = await response.text()
  return {
    status: response.status,
    code: text.startsWith('{') ? JSON.parse(text).code : text,
    headers: response.headers,
  }
}
const signed = (event: object, age = 0, by = secret, more: Record<string, string> = {}): Sending => {
  const body = JSON.stringify(event)
  const timestamp = Math.floor(world.pipeline.now().getTime() / 1_000) - age
  const signature = sign(by, 'msg-1', timestamp, body)
  const headers = { 'webhook-id': 'msg-1', 'webhook-timestamp': String(timestamp), 'webhook-signature': signature }
  return { body, headers: { ...structured, ...headers, ...more } }
}
const requests = () => world.db.database<Record<string, unknown>[]>`
  select channel, caller, speaker, identity, content, target, context from requests order by accepted`

test('somebody who joins is asked about a laptop where they are reached, and gets it by their own yes', async () => {
  expect(await send()).toMatchObject({ status: 202, code: '' })
  expect(await requests()).toEqual([
    {
      ...{ channel: 'events', caller: 'events:hr', speaker: null, identity: `email:${alice}` },
      content: 'I have just joined and I need a new laptop.',
      target: { channel: 'events', thread: null, reach: ['email'] },
      context: { id: 'e-1', source: 'https://hr.example.com', type: 'com.example.hr.employee.joined' },
    },
  ])
  expect(mail.delivered).toMatchObject([
    { person: alice, thread: alice, origin: null, agent: 'laptop-refresh', text: expect.stringContaining('eligible') },
  ])
  let messages = 0
  for (const text of ['yes', '3', 'yes']) {
    messages += 1
    await world.pipeline.receive({
      ...{ channel: 'email', message: `m${messages}`, person: alice, caller: `email:${alice}`, own: true, text },
      ...{ thread: alice, context: {}, button: null, attachments: [] },
    })
  }
  expect(world.mock.tickets()).toHaveLength(1)
  expect(mail.delivered.at(-1)?.text).toContain(world.mock.tickets()[0]?.number)
})

test('a program gives nobody’s yes', async () => {
  await send()
  for (const text of ['yes', '3']) {
    await world.pipeline.receive({
      ...{ channel: 'email', message: text, person: alice, caller: `email:${alice}`, own: true, text },
      ...{ thread: alice, context: {}, button: null, attachments: [] },
    })
  }
  await world.pipeline.receive({
    ...{ channel: 'events', message: 'yes', person: alice, caller: 'events:hr', own: false, text: 'yes' },
    ...{ thread: null, reach: ['email'], context: {}, button: null, attachments: [] },
  })
  expect(world.mock.tickets()).toEqual([])
})

test('binary and structured, by token and by signature, it is the same event', async () => {
  const { data, ...attributes } = joined()
  const binary = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value]))
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...binary }
  delete (headers as Record<string, string>)['ce-datacontenttype']
  for (const sending of [{ headers, body: JSON.stringify(data) }, {}, signed(joined()), signed(joined(), 299)]) {
    expect(await send(sending)).toMatchObject({ status: 202 })
  }
  expect(await requests()).toHaveLength(1)
  expect(mail.delivered).toHaveLength(1)
  expect(await send({ event: joined({ id: 'e-2' }) })).toMatchObject({ status: 202 })
  expect(await requests()).toHaveLength(2)
})

test('what the file leaves out becomes no message', async () => {
  expect(await send({ event: joined({ type: 'com.example.hr.employee.left' }) })).toMatchObject({ status: 204 })
  expect(await send({ event: joined({}, { contract: 'temporary' }) })).toMatchObject({ status: 204 })
  expect(await requests()).toEqual([])
})

test('the handshake says who may send, and nothing to anybody else', async () => {
  const ask = (origin: string | null, path = '/hr') =>
    send({
      method: 'OPTIONS',
      path,
      headers: origin === null ? {} : { 'webhook-request-origin': origin, 'webhook-request-rate': '120' },
    })
  const agreed = await ask('HR.example.com')
  expect(agreed.status).toBe(200)
  expect(Object.fromEntries(agreed.headers)).toMatchObject({
    ...{ allow: 'POST', 'webhook-allowed-origin': 'HR.example.com', 'webhook-allowed-rate': '*' },
  })
  for (const [origin, path] of [
    ['evil.example', '/hr'],
    ['*', '/hr'],
    [null, '/hr'],
    ['hr.example.com', '/nobody'],
    ['hr.example.com', '/unmapped'],
  ] as const) {
    const refused = await ask(origin, path)
    expect(refused.status).toBe(405)
    expect([...refused.headers.keys()].filter((name) => name.startsWith('webhook-'))).toEqual([])
  }
})

test('nothing is taken that its source does not prove, or that is about nobody who may be named', async () => {
  const other = `whsec_${Buffer.alloc(32, 8).toString('base64')}`
  const of = (more: object, data: object = {}): Sending => ({ event: joined(more, data) })
  const forged: [Sending, number][] = [
    // Keys.
    [{ headers: structured }, 401],
    [{ headers: { ...structured, authorization: 'Bearer ' } }, 401],
    [{ headers: { ...structured, authorization: 'Bearer x' } }, 401],
    [{ headers: { ...structured, authorization: `Basic ${token}` } }, 401],
    [{ headers: { ...structured, authorization: `Bearer ${token}x` } }, 401],
    [{ headers: { ...structured, authorization: `Bearer ${createHash('sha256').update(token).digest('hex')}` } }, 401],
    [{ headers: { ...structured, authorization: 'Bearer unmapped-token' } }, 401],
    [{ headers: structured, path: `/hr?access_token=${token}` }, 401],
    [{ path: '/nobody' }, 401],
    [{ path: '/unmapped', headers: { ...structured, authorization: 'Bearer unmapped-token' } }, 401],
    [{ path: '/__proto__' }, 401],
    [{ path: '/hr%00' }, 401],
    [{ path: '/..%2fhr' }, 401],
    [{ path: '/HR' }, 401],
    // Signatures.
    [signed(joined(), 0, other), 401],
    [signed(joined(), 301), 401],
    [signed(joined(), -301), 401],
    [{ ...signed(joined()), body: JSON.stringify(joined({ id: 'e-2' })) }, 401],
    [signed(joined(), 0, secret, { 'webhook-id': 'msg-2' }), 401],
    [signed(joined(), 0, secret, { 'webhook-timestamp': '1' }), 401],
    [signed(joined(), 0, secret, { 'webhook-timestamp': '' }), 401],
    [signed(joined(), 0, secret, { 'webhook-signature': '' }), 401],
    [signed(joined(), 0, secret, { 'webhook-signature': 'v1,' }), 401],
    // A captured signature with other attributes in its headers.
    [
      signed(joined(), 0, secret, {
        ...{ 'content-type': 'application/json', 'ce-specversion': '1.0', 'ce-id': 'e-3' },
        ...{ 'ce-source': 'https://hr.example.com', 'ce-type': 'com.example.hr.employee.joined' },
      }),
      401,
    ],
    // Another system's events by this one's key.
    [of({ source: 'https://monitoring.example.com' }), 401],
    [of({ source: 'https://hr.example.com/' }), 401],
    [of({ source: 'HTTPS://HR.EXAMPLE.COM' }), 401],
    // People.
    [of({}, { email: null }), 422],
    [of({}, { email: undefined }), 422],
    [of({}, { email: 'alice' }), 422],
    [of({}, { email: ['alice.johnson@company.com'] }), 422],
    [of({}, { email: 'eve@evil.example' }), 422],
    [of({}, { email: 'eve@company.com.evil.example' }), 422],
    [of({}, { email: 'eve@evilcompany.com' }), 422],
    [of({}, { email: 'alice.johnson@company.com, eve@evil.example' }), 422],
    [of({}, { email: 'alice.johnson@company.com\r\nBcc: eve@evil.example' }), 422],
    [of({ data: undefined }), 422],
    [of({ data: 'alice.johnson@company.com' }), 422],
    // Events that are none.
    [{ body: '' }, 400],
    [{ body: '[]' }, 400],
    [{ body: 'not JSON' }, 400],
    [of({ specversion: '0.3' }), 400],
    [of({ id: '' }), 400],
    [of({ id: 'e\u0000' }), 400],
    [of({ source: undefined }), 400],
    [{ headers: { ...bearer, 'content-type': 'application/cloudevents-batch+json' } }, 415],
    [{ headers: { ...bearer, 'content-type': 'application/json' } }, 415],
    [{ body: JSON.stringify(joined({}, { padding: 'x'.repeat(1_100_000) })) }, 413],
  ]
  for (const [sending, status] of forged) {
    expect({ ...(await send(sending)), sending }).toMatchObject({ status })
  }
  expect(await requests()).toEqual([])
  // Replays: the same event again, also with other content, is the event that was taken.
  await send()
  const replays: Sending[] = [{}, of({}, { email: 'jane.smith@company.com' }), signed(joined())]
  for (const replay of replays) expect(await send(replay)).toMatchObject({ status: 202 })
  const report = { tried: forged.length + replays.length, letIn: (await requests()).length - 1 }
  expect(report.letIn).toBe(0)
  const reports = join(import.meta.dirname, '../../../reports')
  await mkdir(reports, { recursive: true })
  await writeFile(join(reports, 'abuse-events.json'), `${JSON.stringify(report, null, 2)}\n`)
})
