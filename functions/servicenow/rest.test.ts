import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { createRest } from './rest.ts'

const open: Server[] = []
afterEach(() => {
  for (const server of open.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
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

const restOf = (url: string) => createRest({ url, apiKey: 'secret', apiKeyHeader: 'x-sn-apikey', timeoutMs: 200 })
const post = (url: string) => restOf(url).post('/order_now', { a: 1 })

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

test.each([
  [400, 'refused'],
  [401, 'refused'],
  [403, 'refused'],
  [404, 'refused'],
  [408, 'lost'],
  [429, 'not-taken'],
  [500, 'lost'],
  [502, 'lost'],
  [503, 'lost'],
  [204, 'lost'],
  [200, 'lost'],
])('a POST that is answered %i without JSON is %s', async (status, kind) => {
  const url = await listen((_request, response) =>
    response.writeHead(status).end(status === 204 ? undefined : '<html>'),
  )
  expect(await post(url)).toMatchObject({ kind, detail: expect.stringContaining(`HTTP ${status}`) })
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
  expect(await post(await listen(() => {}))).toMatchObject({ kind: 'lost', reason: 'timeout' })
  expect(await post(await listen((_request, response) => response.destroy()))).toMatchObject({
    kind: 'lost',
    reason: 'no-answer',
  })
  const flood = await listen((_request, response) => response.end(`"${'x'.repeat(2 * 1024 * 1024)}"`))
  expect(await post(flood)).toMatchObject({ kind: 'lost', reason: 'too-large' })
  const stuck = await listen((_request, response) => void response.writeHead(200).write('{"result":'))
  expect(await post(stuck)).toMatchObject({ kind: 'lost', reason: 'timeout' })
})

test('what never connected was not taken', async () => {
  const url = await listen(() => {})
  const [server] = open.splice(0)
  server?.close()
  expect(await post(url)).toEqual({ kind: 'not-taken', detail: 'Cannot connect: ECONNREFUSED' })
  expect(await post(url.replace('127.0.0.1', 'localhost'))).toMatchObject({ kind: 'not-taken' })
  const nowhere = await post('http://nowhere.invalid')
  expect(nowhere).toMatchObject({ kind: 'not-taken' })
  expect(JSON.stringify(nowhere)).not.toContain('secret')
})

test('a 429 says when to try again, within reason', async () => {
  const after = async (value: string) => {
    const answer = await post(
      await listen((_request, response) => response.writeHead(429, { 'retry-after': value }).end()),
    )
    return answer.kind === 'not-taken' ? answer.retryAfter : 'no'
  }
  expect(await after('3')).toBe(3)
  expect(await after('86400')).toBe(300)
  expect(await after('soon')).toBeUndefined()
})
