import { request as httpRequest } from 'node:http'
import { CloudEvent } from 'cloudevents'
import { afterEach, describe, expect, test } from 'vitest'
import { Fault } from '../errors/fault.ts'
import { createLog } from '../telemetry/log.ts'
import type { StageFunction } from './function.ts'
import { type Host, host } from './host.ts'

const hosts: Host[] = []
const log = createLog({}, { write: () => {} })

async function start(handle: StageFunction['handle'], more: Partial<StageFunction> & { drainMs?: number } = {}) {
  const { drainMs, ...lifecycle } = more
  const running = await host(
    { handle, ...lifecycle },
    { port: 0, hostname: '127.0.0.1', log, bodyLimit: 2_000, ...(drainMs === undefined ? {} : { drainMs }) },
  )
  hosts.push(running)
  return { url: `http://127.0.0.1:${running.port}/`, running }
}

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((running) => running.close()))
})

const binary = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' }
const structured = { specversion: '1.0', id: '1', source: '/s', type: 't', data: { a: 1 } }
const ceJson = { 'content-type': 'application/cloudevents+json' }
const json = { 'content-type': 'application/json' }

interface Case {
  name: string
  headers: Record<string, string>
  body?: string | Uint8Array<ArrayBuffer>
  status: number
  code?: string
}

const cases: Case[] = [
  { name: 'binary', headers: { ...binary, ...json }, body: '{"a":1}', status: 204 },
  { name: 'binary without data', headers: binary, status: 204 },
  { name: 'structured', headers: ceJson, body: JSON.stringify(structured), status: 204 },
  {
    name: 'structured with a charset',
    headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
    body: JSON.stringify(structured),
    status: 204,
  },
  { name: 'percent-encoded attribute', headers: { ...binary, 'ce-subject': 'Z%C3%BCrich' }, status: 204 },
  {
    name: 'batch',
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    body: JSON.stringify([structured]),
    status: 415,
    code: 'event.batch-refused',
  },
  { name: 'no event', headers: json, body: '{}', status: 415, code: 'event.not-an-event' },
  {
    name: 'another event format',
    headers: { 'content-type': 'application/cloudevents+avro' },
    body: 'x',
    status: 415,
    code: 'event.not-an-event',
  },
  { name: 'malformed structured', headers: ceJson, body: '{"specversion":', status: 400, code: 'event.malformed' },
  { name: 'structured list', headers: ceJson, body: '[1]', status: 400, code: 'event.malformed' },
  { name: 'malformed data', headers: { ...binary, ...json }, body: '{', status: 400, code: 'event.malformed' },
  {
    name: 'data twice',
    headers: ceJson,
    body: JSON.stringify({ ...structured, data_base64: 'eA==' }),
    status: 400,
    code: 'event.malformed',
  },
  {
    name: 'version 0.3',
    headers: { ...binary, 'ce-specversion': '0.3' },
    status: 400,
    code: 'event.unsupported-version',
  },
  {
    name: 'version 1.1',
    headers: { ...binary, 'ce-specversion': '1.1' },
    status: 400,
    code: 'event.unsupported-version',
  },
  {
    name: 'no version',
    headers: ceJson,
    body: JSON.stringify({ ...structured, specversion: undefined }),
    status: 400,
    code: 'event.malformed',
  },
  { name: 'empty id', headers: { ...binary, 'ce-id': '' }, status: 400, code: 'event.malformed' },
  {
    name: 'no type',
    headers: ceJson,
    body: JSON.stringify({ ...structured, type: undefined }),
    status: 400,
    code: 'event.malformed',
  },
  { name: 'broken time', headers: { ...binary, 'ce-time': 'yesterday' }, status: 400, code: 'event.malformed' },
  {
    name: 'attribute in capitals',
    headers: ceJson,
    body: JSON.stringify({ ...structured, traceParent: 'x' }),
    status: 400,
    code: 'event.malformed',
  },
  {
    name: 'attribute that is an object',
    headers: ceJson,
    body: JSON.stringify({ ...structured, more: {} }),
    status: 400,
    code: 'event.malformed',
  },
  {
    name: 'not UTF-8',
    headers: { ...binary, ...json },
    body: new Uint8Array([0x22, 0xff, 0x22]),
    status: 400,
    code: 'event.malformed',
  },
  {
    name: 'too large',
    headers: { ...binary, ...json },
    body: `"${'x'.repeat(2_000)}"`,
    status: 413,
    code: 'event.too-large',
  },
]

describe('what comes in is read strictly', () => {
  test.each(cases)('$name', async ({ headers, body, status, code }) => {
    let handled = 0
    const { url } = await start(async () => {
      handled += 1
      return undefined
    })
    const response = await fetch(url, { method: 'POST', headers, ...(body === undefined ? {} : { body }) })
    const text = await response.text()
    expect({ status: response.status, text }).toMatchObject({ status })
    if (code !== undefined) expect(JSON.parse(text)).toMatchObject({ code, status })
    else expect(text).toBe('')
    expect(handled).toBe(status === 204 ? 1 : 0)
  })
})

test('a reply is a binary CloudEvent, the same bytes each time', async () => {
  const { url } = await start(async (_context, event) => new CloudEvent({ ...event, id: 'reply', type: 'u' }, false))
  const post = () => fetch(url, { method: 'POST', headers: ceJson, body: JSON.stringify(structured) })
  const [first, second] = [await post(), await post()]
  expect(first.status).toBe(200)
  expect(first.headers.get('ce-id')).toBe('reply')
  expect(first.headers.get('ce-type')).toBe('u')
  const body = await first.text()
  expect(JSON.parse(body)).toEqual({ a: 1 })
  expect(await second.text()).toBe(body)
})

describe('a fault decides the status', () => {
  test.each([
    ['a retryable fault', new Fault('model.overloaded', 'full', { retryAfter: 3.2 }), 503, 'model.overloaded', '4'],
    ['poison', new Fault('event.data-invalid', 'no'), 422, 'event.data-invalid', null],
    [
      'a lost database',
      Object.assign(new Error('gone'), { code: 'CONNECTION_CLOSED' }),
      503,
      'store.unavailable',
      null,
    ],
    ['a serialization failure', Object.assign(new Error('again'), { code: '40001' }), 503, 'store.unavailable', null],
    ['anything unknown', new Error('bug'), 500, 'stage.failed', null],
  ])('%s', async (_name, error, status, code, retryAfter) => {
    const { url } = await start(async () => {
      throw error
    })
    const response = await fetch(url, { method: 'POST', headers: binary })
    expect(response.status).toBe(status)
    expect(response.headers.get('retry-after')).toBe(retryAfter)
    expect(await response.json()).toMatchObject({ code })
  })
})

test('only POST on the root, and the two health paths', async () => {
  const { url } = await start(async () => undefined, {
    readiness: async () => {
      throw new Fault('store.unavailable', 'down')
    },
  })
  const get = await fetch(url)
  expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST'])
  expect((await fetch(`${url}elsewhere`, { method: 'POST' })).status).toBe(404)
  expect((await fetch(`${url}health/liveness`)).status).toBe(200)
  expect((await fetch(`${url}health/readiness`)).status).toBe(503)
})

test('closing waits for the event in flight and refuses new ones', async () => {
  const gate = Promise.withResolvers<void>()
  const entered = Promise.withResolvers<void>()
  let shutDown = 0
  const { url, running } = await start(
    async () => {
      entered.resolve()
      await gate.promise
      return undefined
    },
    {
      shutdown: async () => {
        shutDown += 1
      },
    },
  )
  const slow = post(url)
  await entered.promise
  const closed = running.close()
  await expect(post(url)).rejects.toThrow()
  expect(shutDown).toBe(0)
  gate.resolve()
  expect(await slow).toBe(204)
  await closed
  expect(shutDown).toBe(1)
})

test('a handler that only waits learns at once that the process is to stop', async () => {
  const entered = Promise.withResolvers<void>()
  const { url, running } = await start(async (context) => {
    entered.resolve()
    await new Promise((resolve) => context.draining?.addEventListener('abort', resolve))
    return undefined
  })
  const slow = post(url)
  await entered.promise
  await running.close()
  expect(await slow).toBe(204)
})

test('when the drain time is over, the handler is told to stop', async () => {
  const entered = Promise.withResolvers<void>()
  const { url, running } = await start(
    (context) => {
      entered.resolve()
      return new Promise((_resolve, reject) => {
        context.signal?.addEventListener('abort', () => reject(context.signal?.reason))
      })
    },
    { drainMs: 10 },
  )
  const slow = post(url)
  await entered.promise
  await running.close()
  expect(await slow).toBe(503)
})

/** A request on a connection of its own, as a broker's would be after the listener closed. */
function post(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST', headers: binary, agent: false }, (response) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode ?? 0))
    })
    request.once('error', reject)
    request.end()
  })
}
