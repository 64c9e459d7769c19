import { randomBytes } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLog } from '../../../shared/telemetry/log.ts'
import { createIngress, type Ingress } from '../ingress.ts'
import { routes } from '../routes.ts'
import { openTestDoor, type TestDoor } from '../test-door.ts'
import { sealSession } from './session.ts'
import { openTestSignIn, origin, type TestSignIn } from './testing.ts'

let door: TestDoor
let stand: TestSignIn
let ingress: Ingress
beforeAll(async () => {
  door = await openTestDoor()
  stand = await openTestSignIn()
  ingress = make(true)
})
afterAll(async () => {
  ingress.drain()
  await stand.close()
  await door.close()
})

function make(withPage: boolean): Ingress {
  return createIngress({
    database: door.store.database,
    publish: async () => {},
    brokerReady: async () => {},
    verify: () => Promise.reject(new Error('no token is looked at here')),
    now: () => new Date(),
    newId: () => crypto.randomUUID(),
    randomBytes,
    log: createLog({}, { write: () => {} }),
    ...(withPage ? { web: stand.parts } : {}),
  })
}
const get = async (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  await ingress.fetch(new Request(`${origin}${path}`, { headers, method }))
const own = { origin, 'x-requested-with': 'chat', 'content-type': 'application/json', prefer: 'respond-async' }
const signedIn = async (email: string) =>
  (await sealSession({ subject: email, email }, stand.settings, new Date())).split(';')[0] ?? ''

test('the page and its files come packed, cached by their names, and under a policy without exceptions', async () => {
  const page = await get('/', { 'accept-encoding': 'br, gzip' })
  expect([page.status, page.headers.get('content-type'), page.headers.get('cache-control')]).toEqual([
    200,
    'text/html; charset=utf-8',
    'no-cache',
  ])
  expect(page.headers.get('content-security-policy')).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  )
  expect(page.headers.get('x-content-type-options')).toBe('nosniff')
  expect(gunzipSync(await page.arrayBuffer()).toString()).toContain('<title>page</title>')
  const file = await get('/assets/script-0.js')
  expect([file.headers.get('content-encoding'), file.headers.get('cache-control')]).toEqual([
    null,
    'public, max-age=31536000, immutable',
  ])
  expect(await file.text()).toContain('export {}')
  expect(
    (await get('/assets/script-0.js', { 'accept-encoding': 'gzip;q=0' })).headers.get('content-encoding'),
  ).toBeNull()
  const head = await get('/', {}, 'HEAD')
  expect([head.status, await head.text()]).toEqual([200, ''])
  for (const path of [
    '/assets/x.js',
    '/assets/..%2findex.html',
    '/assets/%2e%2e/index.html',
    '/assets/',
    '/index.html',
  ]) {
    expect((await get(path)).status).toBe(404)
  }
  // The API's answers keep the policy that shows nothing.
  expect((await get('/openapi.json')).headers.get('content-security-policy')).toBe(
    "default-src 'none'; frame-ancestors 'none'",
  )
})

test('where WEB_URL is not set there is no page, and no cookie counts', async () => {
  const without = make(false)
  const cookie = await signedIn('alice@example.com')
  for (const [method, path, status] of [
    ['GET', '/', 404],
    ['GET', '/assets/script-0.js', 404],
    ['GET', '/sign-in', 404],
    ['GET', '/sign-in/callback?code=x&state=y', 404],
    ['POST', '/sign-out', 404],
    ['GET', '/api/v1/approvals', 401],
  ] as const) {
    const response = await without.fetch(new Request(`${origin}${path}`, { method, headers: { ...own, cookie } }))
    expect([path, response.status]).toEqual([path, status])
  }
})

/** Every route that takes the session cookie: a new one has to be entered here by hand. */
const byCookie = [
  'POST /api/v1/requests/web',
  'GET /api/v1/requests/{id}',
  'GET /api/v1/conversations/{id}',
  'POST /api/v1/attachments',
  'GET /api/v1/attachments/{id}',
  'GET /api/v1/approvals',
  'POST /api/v1/approvals/{id}',
  'GET /api/v1/events',
  'GET /api/v1/me',
  'PUT /api/v1/me/preferences',
  'GET /api/v1/me/link',
  'POST /api/v1/me/identities',
  'DELETE /api/v1/me/identities/{identity}',
]

test('the cookie opens what the page uses, to its person, and nothing else', async () => {
  const cookie = await signedIn('alice@example.com')
  const seen: string[] = []
  for (const route of routes) {
    if (route.kind === 'host' || route.who === 'anyone') continue
    const path = route.path.replace('{id}', '00000000-0000-7000-8000-000000000000')
    const call = async (headers: Record<string, string>) =>
      (
        await ingress.fetch(
          new Request(`${origin}${path}`, {
            method: route.method,
            headers,
            ...(route.method === 'POST' ? { body: '{"content":"x"}' } : {}),
          }),
        )
      ).status
    const status = await call({ ...own, cookie })
    const name = `${route.method} ${route.path}`
    if (status === 401) continue
    seen.push(name)
    expect([name, await call({ ...own })]).toEqual([name, 401])
    expect([name, await call({ ...own, cookie: '__Host-session=x' })]).toEqual([name, 401])
    const cross = route.method === 'GET' ? [200, 404, 501] : [403]
    expect(cross, name).toContain(await call({ ...own, origin: 'https://evil.example', cookie }))
    // A token that comes along is what counts: a bad one is not made good by a cookie.
    expect([name, await call({ ...own, cookie, authorization: 'Basic x' })]).toEqual([name, 401])
  }
  expect(seen.sort()).toEqual([...byCookie].sort())
})

test('by cookie a person asks for themselves alone', async () => {
  const cookie = await signedIn('alice@example.com')
  const ask = (body: object) =>
    ingress.fetch(
      new Request(`${origin}/api/v1/requests/web`, {
        method: 'POST',
        headers: { ...own, cookie },
        body: JSON.stringify(body),
      }),
    )
  const taken = await ask({ content: 'hello' })
  expect(taken.status).toBe(202)
  const { request_id } = (await taken.json()) as { request_id: string }
  expect(await door.rowOf(request_id)).toMatchObject({
    ...{
      caller: 'alice@example.com',
      speaker: 'alice@example.com',
      identity: 'email:alice@example.com',
      channel: 'web',
    },
  })
  expect((await ask({ content: 'hello', user_id: 'bob@example.com' })).status).toBe(403)
  const theirs = await get(`/api/v1/requests/${request_id}`, { cookie: await signedIn('bob@example.com') })
  expect(theirs.status).toBe(404)
})
