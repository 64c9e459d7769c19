import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { atOnce, openTestDoor, type TestDoor } from './test-door.ts'

let door: TestDoor
beforeAll(async () => {
  door = await openTestDoor()
})
afterAll(() => door.close())
afterEach(() => door.calm())

test('every answer has the security headers and none allows another origin', async () => {
  for (const response of [
    await door.get('/openapi.json', { origin: 'https://evil.example' }),
    await door.get('/nowhere'),
    await door.post('/api/v1/requests', { content: 'x' }, atOnce),
    await door.post('/api/v1/requests', { content: 'x' }, { authorization: '' }),
    await fetch(`${door.url}/api/v1/requests`, { method: 'OPTIONS', headers: { origin: 'https://evil.example' } }),
  ]) {
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
    })
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
  }
})

test.each([
  ['PUT', '/api/v1/requests', 'POST'],
  ['GET', '/api/v1/requests/web', 'POST'],
  ['DELETE', '/api/v1/requests/00000000-0000-7000-8000-000000000000', 'GET, HEAD'],
  ['POST', '/openapi.json', 'GET, HEAD'],
  ['OPTIONS', '/api/v1/requests', 'POST'],
  ['PATCH', '/health/readiness', 'GET, HEAD'],
])('%s %s is not allowed', async (method, path, allow) => {
  const response = await fetch(`${door.url}${path}`, { method })
  expect(response.status).toBe(405)
  expect(response.headers.get('allow')).toBe(allow)
  expect(await response.json()).toMatchObject({ code: 'request.method-not-allowed' })
})

test.each([
  '/',
  '/api',
  '/api/v1/requests/',
  '/api/v1/conversation',
  '/api/v1/requests/a/b',
  '/openapi.json/',
  '/.env',
])('%s is not there', async (path) => {
  const response = await door.get(path)
  expect(response.status).toBe(404)
  expect(await response.json()).toMatchObject({ code: 'request.not-found' })
})

test('ready means that Postgres and the broker take work', async () => {
  expect((await fetch(`${door.url}/health/readiness`)).status).toBe(200)
  door.broker.status = 503
  const response = await fetch(`${door.url}/health/readiness`)
  expect(response.status).toBe(503)
  expect(await response.json()).toMatchObject({ code: 'broker.unavailable' })
  expect((await fetch(`${door.url}/health/liveness`)).status).toBe(200)
})
