import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createRest } from './rest.ts'

const open: Server[] = []
const raw: TcpServer[] = []
afterEach(() => {
  for (const server of open.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
  for (const server of raw.splice(0)) server.close()
})

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => request.resume().once('end', () => answer(request, response)))
  open.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port')
  return `http://127.0.0.1:${address.port}`
}

async function listenRaw(connected: (socket: Socket) => void): Promise<number> {
  const server = createTcpServer((socket) => connected(socket.on('error', () => {})))
  raw.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port')
  return address.port
}

const restOf = (url: string, timeoutMs = 5_000) =>
  createRest({ url, apiKey: 'secret', apiKeyHeader: 'x-sn-apikey', timeoutMs })
const post = (url: string, timeoutMs?: number) => restOf(url, timeoutMs).post('/order_now', { a: 1 })

test('a request carries the key, and its answer is JSON', async () => {
  const url = await listen((request, response) =>
    response.end(JSON.stringify([request.method, request.url, request.headers['x-sn-apikey']])),
  )
  expect(await restOf(url).get('/table', { sysparm_query: 'a=b^c=d e' })).toEqual({
    kind: 'answered',
    value: ['GET', '/table?sysparm_query=a%3Db%5Ec%3Dd+e', 'secret'],
  })
  expect(await post(url)).toEqual({ kind: 'answered', value: ['POST', '/order_now', 'secret'] })
})

const own = JSON.stringify({ error: { message: 'No', detail: null }, status: 'failure' })

test.each([
  [400, own, 'refused'],
  [401, own, 'refused'],
  [403, own, 'refused'],
  [404, own, 'refused'],
  // The words of a gateway, which may have passed the order on.
  [400, '<html>', 'lost'],
  [403, '<html>', 'lost'],
  [403, '"error"', 'lost'],
  [404, '{"error":"not found"}', 'lost'],
  [413, '', 'lost'],
  [408, own, 'lost'],
  [429, own, 'busy'],
  [429, '<html>', 'busy'],
  [500, own, 'lost'],
  [502, '<html>', 'lost'],
  [503, '<html>', 'lost'],
  [204, undefined, 'lost'],
  [200, '<html>', 'lost'],
])('a POST that is answered %i %s is %s', async (status, body, kind) => {
  const url = await listen((_request, response) => response.writeHead(status).end(body))
  expect(await post(url)).toMatchObject({ kind, detail: expect.stringContaining(`HTTP ${status}`) })
})

test.each([
  [401, 'refused'],
  [403, 'refused'],
  [404, 'refused'],
  [408, 'lost'],
  [429, 'busy'],
  [503, 'lost'],
])('a GET that is answered %i is %s, whoever says so', async (status, kind) => {
  const url = await listen((_request, response) => response.writeHead(status).end('<html>'))
  expect(await restOf(url).get('/table', {})).toMatchObject({ kind, detail: expect.stringContaining(`HTTP ${status}`) })
})

test('a redirect is not followed: the key stays here', async () => {
  const asked: string[] = []
  const elsewhere = await listen((request, response) => {
    asked.push(request.url ?? '')
    response.end('{}')
  })
  const url = await listen((_request, response) => response.writeHead(307, { location: elsewhere }).end())
  expect(await post(url)).toMatchObject({ kind: 'lost', detail: 'HTTP 307' })
  expect(asked).toEqual([])
})

test('silence, a reset and a flood are lost answers', async () => {
  expect(await post(await listen(() => {}), 200)).toMatchObject({ kind: 'lost', reason: 'timeout' })
  expect(await post(await listen((_request, response) => response.destroy()))).toMatchObject({
    kind: 'lost',
    reason: 'no-answer',
  })
  const flood = await listen((_request, response) => response.end(`"${'x'.repeat(2 * 1024 * 1024)}"`))
  expect(await post(flood)).toMatchObject({ kind: 'lost', reason: 'too-large' })
  const stuck = await listen((_request, response) => void response.writeHead(200).write('{"result":'))
  expect(await post(stuck, 200)).toMatchObject({ kind: 'lost', reason: 'timeout' })
})

test('what never connected was not sent', async () => {
  const url = await listen(() => {})
  const [server] = open.splice(0)
  server?.close()
  expect(await post(url)).toEqual({ kind: 'not-sent', detail: 'Cannot connect: ECONNREFUSED' })
  expect(await post(url.replace('127.0.0.1', 'localhost'))).toMatchObject({ kind: 'not-sent' })
  const nowhere = await post('http://nowhere.invalid')
  expect(nowhere).toMatchObject({ kind: 'not-sent' })
  expect(JSON.stringify(nowhere)).not.toContain('secret')
})

test('a connection that ends before TLS is established was never made; one that ends after the order is lost', async () => {
  const seen: string[] = []
  const hangUp = await listenRaw((socket) => socket.destroy())
  const talkPlain = await listenRaw((socket) => socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\n')))
  const hearAndHangUp = await listenRaw((socket) =>
    socket.on('data', (data) => {
      seen.push(data.toString())
      socket.destroy()
    }),
  )
  expect(await post(`https://127.0.0.1:${hangUp}`)).toMatchObject({ kind: 'not-sent' })
  expect(await post(`https://127.0.0.1:${talkPlain}`)).toMatchObject({ kind: 'not-sent' })
  expect(await post(`http://127.0.0.1:${hearAndHangUp}`)).toMatchObject({ kind: 'lost', reason: 'no-answer' })
  expect(await post(`http://127.0.0.1:${hangUp}`)).toMatchObject({ kind: 'lost', reason: 'no-answer' })
  expect(seen.join('')).toContain('POST /order_now')
})

test('an order that is sent over a connection which the other side has closed meanwhile is lost, not sent again', async () => {
  const orders: string[] = []
  const port = await listenRaw((socket) =>
    socket.on('data', (data) => {
      orders.push(data.toString())
      if (orders.length > 1) socket.destroy()
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}')
    }),
  )
  const rest = restOf(`http://127.0.0.1:${port}`)
  expect(await rest.post('/order_now', { a: 1 })).toMatchObject({ kind: 'answered' })
  expect(await rest.post('/order_now', { a: 2 })).toMatchObject({ kind: 'lost' })
  expect(orders).toHaveLength(2)
})

test('a 429 says when to try again, within reason', async () => {
  const after = async (value: string) => {
    const answer = await post(
      await listen((_request, response) => response.writeHead(429, { 'retry-after': value }).end()),
    )
    return answer.kind === 'busy' ? answer.retryAfter : 'no'
  }
  expect(await after('3')).toBe(3)
  expect(await after('86400')).toBe(300)
  expect(await after('soon')).toBeUndefined()
})
