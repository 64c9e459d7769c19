import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { atOnce, openTestDoor, type TestDoor } from './test-door.ts'

let door: TestDoor
beforeAll(async () => {
  door = await openTestDoor()
})
afterAll(() => door.close())
afterEach(() => door.calm())

const path = '/api/v1/webhooks'
const url = 'https://hooks.example.com/answers'
const program = async (service = 'hr') => ({
  authorization: `Bearer ${await door.token(null, { service, scopes: ['requests:act-for-others'] })}`,
})
const register = async (body: object, headers?: Record<string, string>) => {
  const response = await door.post(path, body, headers ?? (await program()))
  return { status: response.status, body: (await response.json()) as Record<string, string> }
}
const call = async (method: string, route: string, headers: Record<string, string>) =>
  (await fetch(`${door.url}${route}`, { method, headers })).status

test('a webhook is registered, listed, rotated and forgotten; its secret is shown when it is made', async () => {
  const { status, body } = await register({ url: 'HTTPS://Hooks.Example.com:443/answers' })
  expect({ status, body }).toEqual({
    status: 201,
    body: {
      ...{ id: expect.any(String), url, secret_version: 1, created_at: expect.any(String), disabled_at: null },
      secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
    },
  })
  const listed = await (await door.get(path, await program())).text()
  expect(listed).toContain(body['id'])
  expect(listed).not.toContain('whsec_')
  const rotated = await fetch(`${door.url}${path}/${body['id']}/secret`, { method: 'POST', headers: await program() })
  const next = (await rotated.json()) as Record<string, string>
  expect(next).toMatchObject({ id: body['id'], secret_version: 2 })
  expect(next['secret']).not.toBe(body['secret'])
  expect(await call('DELETE', `${path}/${body['id']}`, await program())).toBe(204)
  expect(await call('DELETE', `${path}/${body['id']}`, await program())).toBe(404)
  const kept = await door.store.database`select to_jsonb(w)::text as row from webhooks w`
  expect(JSON.stringify(kept) + door.lines.join()).not.toContain(String(next['secret']).slice(6))
})

test("a webhook is its owner's: to others it is not there", async () => {
  const { body } = await register({ url })
  const other = await program('monitoring')
  expect(await (await door.get(path, other)).json()).toEqual({ webhooks: [] })
  expect(await call('DELETE', `${path}/${body['id']}`, other)).toBe(404)
  expect(await call('POST', `${path}/${body['id']}/secret`, other)).toBe(404)
  expect(await call('DELETE', `${path}/x`, other)).toBe(404)
  const asked = { content: 'refresh', user_id: 'bob@example.com', reply_to: body['id'] }
  expect(await door.ask(asked, { ...atOnce, ...other })).toMatchObject({ status: 400 })
  expect(await door.ask({ content: 'x', reply_to: body['id'] })).toMatchObject({ status: 400 })
})

test.each([
  [{}],
  [{ url: 1 }],
  [{ url: 'http://hooks.example.com/' }],
  [{ url: 'https://127.0.0.1/' }],
  [{ url: 'https://[::ffff:10.0.0.1]/' }],
  [{ url: 'https://localhost/' }],
  [{ url: 'https://hooks.example.com:8443/' }],
  [{ url: 'https://user:pw@hooks.example.com/' }],
  [{ url: `https://hooks.example.com/${'x'.repeat(2_048)}` }],
])('what may not be called is not registered: %j', async (body) => {
  expect(await register(body)).toMatchObject({ status: 400, body: { code: 'request.malformed' } })
})

test('a request names where its answer goes, on whatever route it asks', async () => {
  const { body } = await register({ url })
  const asked = { content: 'refresh', user_id: 'bob@example.com', reply_to: body['id']?.toUpperCase() }
  for (const [route, more] of [
    ['/api/v1/requests', {}],
    ['/api/v1/requests/generic', {}],
    ['/api/v1/requests/web', {}],
    ['/api/v1/requests/tool', { tool_id: 't', trigger_event: 'e' }],
  ] as const) {
    const { status, body: accepted } = await door.ask({ ...asked, ...more }, { ...atOnce, ...(await program()) }, route)
    expect(status).toBe(202)
    const { target, channel } = await door.rowOf(accepted.request_id)
    expect(target).toEqual({ channel, thread: null, also: [{ channel: 'webhook', thread: body['id'] }] })
  }
  const { body: plain } = await door.ask({ content: 'x' })
  expect((await door.rowOf(plain.request_id))['target']).toEqual({ channel: 'generic', thread: null })
  for (const replyTo of ['x', 1, '00000000-0000-7000-8000-000000000000']) {
    expect(await door.ask({ ...asked, reply_to: replyTo }, { ...atOnce, ...(await program()) })).toMatchObject({
      status: 400,
      body: { code: 'request.malformed', detail: expect.stringContaining('reply_to') },
    })
  }
})

test('nobody has more than twenty', async () => {
  const many = await program('many')
  for (let number = 1; number <= 20; number += 1) expect((await register({ url }, many)).status).toBe(201)
  expect(await register({ url }, many)).toMatchObject({ status: 400 })
})
