import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { atOnce, openTestDoor, type TestDoor } from './test-door.ts'

interface Page {
  messages: object[]
  next: string
}

let door: TestDoor
beforeAll(async () => {
  door = await openTestDoor()
})
afterAll(() => door.close())
afterEach(() => door.calm())

const forBob = { user_id: 'bob@example.com', content: 'hello' }
const as = async (...args: Parameters<TestDoor['token']>) => ({
  ...atOnce,
  authorization: `Bearer ${await door.token(...args)}`,
})

test('nobody acts for another without the scope', async () => {
  for (const path of ['/api/v1/requests', '/api/v1/requests/web', '/api/v1/requests/cli', '/api/v1/requests/generic']) {
    const { status, headers, body } = await door.ask(forBob, atOnce, path)
    expect({ status, code: body.code }).toEqual({ status: 403, code: 'identity.forbidden' })
    expect(headers.get('www-authenticate')).toContain('insufficient_scope')
  }
  expect(await door.ask(forBob, await as('bob@example.com'))).toMatchObject({ status: 202 })
  const scopes = ['requests:act-for-others']
  const { status, body } = await door.ask(forBob, await as('alice@example.com', { scopes }))
  expect(status).toBe(202)
  expect(await door.rowOf(body.request_id)).toMatchObject({
    caller: 'alice@example.com',
    speaker: 'alice@example.com',
    identity: 'email:bob@example.com',
  })
})

test('the tool channel is for programs, by whatever route', async () => {
  const body = { ...forBob, user_id: 'alice@example.com', tool_id: 't', trigger_event: 'e' }
  const scopes = ['requests:act-for-others']
  for (const [path, more] of [
    ['/api/v1/requests/tool', {}],
    ['/api/v1/requests/generic', { integration_type: 'TOOL' }],
    ['/api/v1/requests', { integration_type: 'tool' }],
  ] as const) {
    expect(await door.ask({ ...body, ...more }, await as('alice@example.com', { scopes }), path)).toMatchObject({
      status: 403,
    })
    expect(await door.ask({ ...body, ...more }, await as(null, { service: 'hr', scopes }), path)).toMatchObject({
      status: 202,
    })
    expect(await door.ask({ ...body, ...more }, await as(null, { service: 'hr' }), path)).toMatchObject({ status: 403 })
  }
})

test('a program without an address has to say for whom', async () => {
  expect(await door.ask({ content: 'hello' }, await as(null, { service: 'hr' }))).toMatchObject({
    status: 400,
    body: { detail: expect.stringContaining('user_id') },
  })
})

test("a request is its asker's and its person's, and nobody else learns of it", async () => {
  const scopes = ['requests:act-for-others']
  const { body } = await door.ask(forBob, await as('alice@example.com', { scopes }))
  const path = `/api/v1/requests/${body.request_id}`
  const missing = await door.get('/api/v1/requests/00000000-0000-7000-8000-000000000000')
  expect((await door.get(path)).status).toBe(202)
  expect((await door.get(path, await as('bob@example.com'))).status).toBe(202)
  const others = await door.get(path, await as('carol@example.com', { scopes: ['conversations:read', ...scopes] }))
  expect(others.status).toBe(404)
  expect(await others.text()).toBe(await missing.text())
  for (const id of ['x', '1', '%27%20or%201=1--', '%00', '%ff', '%c3%28', '..%2f', `${body.request_id}%00`]) {
    expect((await door.get(`/api/v1/requests/${id}`)).status).toBe(404)
  }
})

test("a conversation is its person's, or read with the scope", async () => {
  const { body } = await door.ask(forBob, await as('bob@example.com'))
  const session = await door.answer(body.request_id, 'Hello Bob.')
  const path = `/api/v1/conversations/${session}`
  const own = await door.get(path, await as('bob@example.com'))
  const read = (await own.json()) as Page
  expect(read).toMatchObject({ session_id: session, state: 'open', agent_id: 'laptop-refresh' })
  expect(read.messages.at(-2)).toMatchObject({ role: 'employee', content: 'hello', request_id: body.request_id })
  expect(read.messages.at(-1)).toMatchObject({ role: 'agent', content: 'Hello Bob.' })
  expect(read.next).toBeNull()
  const page = (await (await door.get(`${path}?limit=1`, await as('bob@example.com'))).json()) as Page
  expect(page.messages).toHaveLength(1)
  const rest = (await (await door.get(page.next, await as('bob@example.com'))).json()) as Page
  expect(rest.messages[0]).toEqual(read.messages[1])
  expect((await door.get(path)).status).toBe(404)
  expect((await door.get(path, await as('alice@example.com', { scopes: ['requests:act-for-others'] }))).status).toBe(
    404,
  )
  expect((await door.get(path, await as(null, { service: 'hr' }))).status).toBe(404)
  const auditor = await as(null, { service: 'audit', scopes: ['conversations:read'] })
  expect((await door.get(path, auditor)).status).toBe(200)
  for (const query of ['limit=0', 'limit=201', 'after=-1', 'after=x', 'limit=1.5']) {
    expect((await door.get(`${path}?${query}`, auditor)).status).toBe(400)
  }
})
