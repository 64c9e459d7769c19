import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { channels } from '../../shared/channels/registry.ts'
import { scopes } from '../../shared/identity/caller.ts'
import { describeApi } from './openapi.ts'
import { routes } from './routes.ts'
import { audience, openTestDoor, type TestDoor } from './test-door.ts'

let door: TestDoor
let document: { paths: Record<string, Record<string, Operation>>; components: { schemas: object } }
interface Operation {
  security: object[]
  requestBody?: object
  responses: Record<string, unknown>
}
beforeAll(async () => {
  door = await openTestDoor()
  document = (await (await fetch(`${door.url}/openapi.json`)).json()) as typeof document
})
/** What was tried with tokens that are none, and what of it got in. */
const abuse = { tried: 0, letIn: 0 }
afterAll(async () => {
  await door.close()
  const folder = join(import.meta.dirname, '../../reports')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'abuse-tokens.json'), `${JSON.stringify(abuse, null, 2)}\n`)
})

const everything = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
const isOfChannel = ({ path }: { path: string }) => path.startsWith('/channels/')
/** Channels prove their calls in ways of their own, each with its tests. */
const operations = () => everything().filter((operation) => !isOfChannel(operation))

test('the document lists the routes of every channel, with what proves a call', () => {
  const ofChannels = channels.flatMap(({ routes: own = [] }) => own)
  const listed = everything().filter(isOfChannel)
  expect(listed.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(
    ofChannels.map(({ method, path }) => `${method} ${path}`).sort(),
  )
  const open = listed.filter(({ operation }) => operation.security.length === 0)
  expect(open.map(({ method }) => method)).toEqual(ofChannels.filter(({ proof }) => !proof).map(({ method }) => method))
})

test('the document lists every route of the table, and only three kinds of them are open', () => {
  expect(
    operations()
      .map(({ method, path }) => `${method} ${path}`)
      .sort(),
  ).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort())
  const open = operations().flatMap(({ path, operation }) => (operation.security.length === 0 ? [path] : []))
  // The page is for everybody to open; who may sign in is for the issuer to say.
  const page = ['/', '/link', '/settings', '/assets/{name}', '/sign-in', '/sign-in/callback', '/sign-out']
  expect(open.sort()).toEqual([...page, '/health/liveness', '/health/readiness', '/openapi.json'].sort())
})

test('every reference in the document leads somewhere, and no schema lost its shape', () => {
  const text = JSON.stringify(document)
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    expect(document.components.schemas).toHaveProperty([name ?? ''])
  }
  expect(document).toEqual(JSON.parse(JSON.stringify(describeApi())))
  expect(document.components.schemas).toMatchObject({
    'tool-request': { required: ['content', 'tool_id', 'trigger_event'] },
    finished: { properties: { response: expect.anything(), status: { enum: ['completed', 'failed'] } } },
  })
})

test('each route refuses a missing, broken, expired or foreign token, and says how to come', async () => {
  const now = Math.floor(Date.now() / 1_000)
  const claims = {
    sub: 'alice',
    email: 'alice@example.com',
    scope: Object.keys(scopes).join(' '),
    iss: door.issuer,
    aud: audience,
    exp: now + 600,
  }
  const own = (changed: object) =>
    new SignJWT({ ...claims, ...changed })
      .setProtectedHeader({ alg: 'EdDSA', kid: door.key.kid })
      .sign(door.key.private)
  const foreign = await generateKeyPair('EdDSA')
  const shared = new TextEncoder().encode(JSON.stringify(await exportJWK(foreign.publicKey)))
  const bad: Record<string, string | null> = {
    'no token': null,
    'another scheme': 'Basic YWxpY2U6cHc=',
    'no JWT': 'Bearer abc',
    'alg none': `Bearer ${new UnsecuredJWT(claims).encode()}`,
    'wrong key': `Bearer ${await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', kid: door.key.kid }).sign(foreign.privateKey)}`,
    'unknown key': `Bearer ${await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', kid: 'x' }).sign(foreign.privateKey)}`,
    'shared secret': `Bearer ${await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: door.key.kid }).sign(shared)}`,
    'wrong audience': `Bearer ${await own({ aud: 'another' })}`,
    'another issuer': `Bearer ${await own({ iss: 'https://issuer.example' })}`,
    expired: `Bearer ${await own({ exp: now - 60 })}`,
    'no end': `Bearer ${await own({ exp: undefined })}`,
    'no subject': `Bearer ${await own({ sub: undefined })}`,
  }
  const good = { authorization: `Bearer ${await own({})}` }
  for (const { path, method, operation } of operations()) {
    if (operation.security.length === 0) continue
    const url = `${door.url}${path.replace('{id}', '00000000-0000-7000-8000-000000000000')}`
    const init = { method, ...(method === 'POST' ? { body: '{"content":"x"}' } : {}) }
    const headers = {
      'content-type': 'application/json',
      prefer: 'respond-async',
      'x-forwarded-user': 'alice@example.com',
    }
    for (const [name, authorization] of Object.entries(bad)) {
      const response = await fetch(url, {
        ...init,
        headers: { ...headers, ...(authorization ? { authorization } : {}) },
      })
      const { code } = (await response.json()) as { code: string }
      abuse.tried += 1
      if (response.status !== 401) abuse.letIn += 1
      const expected = authorization === null ? 'identity.missing' : 'identity.invalid'
      expect({ route: `${method} ${path}`, name, status: response.status, code }).toEqual({
        route: `${method} ${path}`,
        name,
        status: 401,
        code: expected,
      })
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /)
    }
    const response = await fetch(url, { ...init, headers: { ...headers, ...good } })
    // A program may do all that is not a person's own, and JSON is no file that is taken.
    const isOfPerson = routes.some((route) => route.path === path && route.method === method && route.who === 'person')
    const allowed = isOfPerson ? [403] : [200, 202, 400, 404, ...(path.endsWith('/attachments') ? [415] : [])]
    expect(allowed, `${method} ${path}`).toContain(response.status)
    await response.arrayBuffer()
    expect(Object.keys(operation.responses)).toContain(String(response.status))
  }
  const [count] = await door.store.database`select count(*)::int as rows from requests where caller <> 'alice'`
  expect(count).toEqual({ rows: 0 })
})

test("each route that names a thing answers 404 to everybody else, as if it weren't there", async () => {
  const authorization = `Bearer ${await door.token('mallory@example.com', { scopes: ['requests:act-for-others'] })}`
  const accepted = await door.post('/api/v1/requests', { content: 'x' }, { prefer: 'respond-async' })
  const asked = (await accepted.json()) as { request_id: string }
  const session = await door.answer(asked.request_id, 'Hello.')
  const sent = await door.post('/api/v1/attachments', 'words', { 'content-type': 'text/plain' })
  const things: Record<string, string> = {
    '/api/v1/attachments/{id}': ((await sent.json()) as { id: string }).id,
    '/api/v1/requests/{id}': asked.request_id,
    '/api/v1/conversations/{id}': session,
    '/api/v1/conversations/{id}/export': session,
  }
  for (const { path, method } of operations()) {
    if (!path.includes('/dead-letters')) continue
    const url = `${door.url}${path.replace('{id}', asked.request_id)}`
    expect((await fetch(url, { method, headers: { authorization } })).status).toBe(403)
  }
  const named = operations().filter(
    ({ path, method }) => path.includes('{id}') && method === 'GET' && !path.includes('/dead-letters'),
  )
  expect(named.map(({ path }) => path).sort()).toEqual(Object.keys(things).sort())
  for (const { path, method } of named) {
    const url = `${door.url}${path.replace('{id}', things[path] ?? '')}`
    expect((await fetch(url, { method, headers: { authorization } })).status).toBe(404)
    expect((await door.get(new URL(url).pathname)).status).toBe(200)
  }
})
