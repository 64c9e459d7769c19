import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Event } from './event.ts'
import { publishEvent } from './publish.ts'

const event: Event = {
  specversion: '1.0',
  id: 'e1',
  source: '/ingress',
  type: 'com.self-service-agent.request.created',
  datacontenttype: 'application/json',
  subject: 'web:alice@example.com',
  hops: '0',
  data: { request_id: 'r1' },
}

let server: Server
let url: string
let answers: (number | 'hang' | 'cut')[]
let seen: { headers: Record<string, unknown>; body: string }[]

beforeEach(async () => {
  answers = []
  seen = []
  server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.push({ headers: request.headers, body })
    const answer = answers.shift() ?? 202
    if (answer === 'hang') return
    if (answer === 'cut') return void request.socket.destroy()
    response.writeHead(answer, answer === 302 ? { location: '/elsewhere' } : {}).end('something')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ns/broker`
})

afterEach(() => new Promise<void>((closed) => void server.close(() => closed()).closeAllConnections()))

const quick = { delaysMs: [1, 1] }
const unavailable = { code: 'broker.unavailable', class: 'retryable' }

test('an event goes out in binary mode', async () => {
  await publishEvent(url, event, fetch)
  expect(seen).toHaveLength(1)
  expect(seen[0]?.headers).toMatchObject({
    'ce-id': 'e1',
    'ce-source': '/ingress',
    'ce-type': event.type,
    'ce-specversion': '1.0',
    'ce-subject': 'web:alice@example.com',
    'ce-hops': '0',
    'content-type': 'application/json',
  })
  expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ request_id: 'r1' })
})

test.each([
  [500, 503],
  ['cut', 429],
  [408, 'cut'],
] as const)('after %s and %s the same event goes out again', async (first, second) => {
  answers = [first, second]
  await publishEvent(url, event, fetch, quick)
  expect(seen).toHaveLength(3)
  expect(new Set(seen.map(({ headers, body }) => `${headers['ce-id']} ${body}`)).size).toBe(1)
})

test('three failures are the end', async () => {
  answers = [503, 503, 503]
  await expect(publishEvent(url, event, fetch, quick)).rejects.toMatchObject(unavailable)
  expect(seen).toHaveLength(3)
})

test.each([400, 404, 413, 302])('%i does not get better by asking again', async (status) => {
  answers = [status]
  await expect(publishEvent(url, event, fetch, quick)).rejects.toMatchObject(unavailable)
  expect(seen).toHaveLength(1)
})

test('a broker that hangs is given up in time', async () => {
  answers = ['hang', 'hang']
  const start = performance.now()
  await expect(publishEvent(url, event, fetch, { ...quick, timeoutMs: 100 })).rejects.toMatchObject(unavailable)
  expect(performance.now() - start).toBeLessThan(2_000)
})

test('a broker that is not there', async () => {
  await expect(publishEvent('http://127.0.0.1:1/', event, fetch, quick)).rejects.toMatchObject(unavailable)
})
