import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestDoor, type TestDoor } from './test-door.ts'

let door: TestDoor
beforeAll(async () => {
  door = await openTestDoor()
})
afterAll(() => door.close())

const alice = 'alice@example.com'
const bob = 'bob@example.com'
const as = async (...args: Parameters<TestDoor['token']>) => ({
  authorization: `Bearer ${await door.token(...args)}`,
})
const auditor = () => as('audit@example.com', { scopes: ['conversations:read', 'audit:read'] })
interface Page {
  conversations: { session_id: string; person: string; created_at: string }[]
  next: string | null
}
const page = async (path: string, headers?: Record<string, string>) =>
  (await (await door.get(path, headers)).json()) as Page
const remove = (path: string, headers: Record<string, string>) =>
  fetch(`${door.url}${path}`, { method: 'DELETE', headers })
const trail = async (query = '') =>
  (
    (await (await door.get(`/api/v1/audit${query}`, await auditor())).json()) as {
      entries: { action: string; subject: string; actor: string }[]
    }
  ).entries

async function personOf(email: string): Promise<string> {
  const [row] = await door.store.database<{ id: string }[]>`
    insert into people (email) values (${email}) on conflict (email) do update set email = excluded.email returning id`
  await door.store.database`
    insert into identities (identity, person) values (${`email:${email}`}, ${row?.id ?? ''}) on conflict do nothing`
  return row?.id ?? ''
}
/** Conversations that ended, a microsecond apart and some at the same moment, with so many messages each. */
async function past(email: string, count: number, messages = 2): Promise<string[]> {
  const person = await personOf(email)
  const rows = await door.store.database<{ id: string }[]>`
    with made as (
      insert into sessions (id, person, agent, state, last_message, created_at, expires_at)
      select gen_random_uuid(), ${person}, case when n % 2 = 0 then 'it-help' else 'router' end, 'closed', ${messages},
        '2026-01-01T00:00:00Z'::timestamptz + (n / 3) * interval '1 microsecond', now()
      from generate_series(1, ${count}) n returning id)
    , said as (
      insert into messages (session, number, role, content, state, created_at)
      select id, m, case when m % 2 = 1 then 'employee' else 'agent' end, 'words of ' || m, 'done', now()
      from made, generate_series(1, ${messages}) m)
    select id from made`
  return rows.map(({ id }) => id)
}

test('each page goes on where the one before ended, whatever begins meanwhile', async () => {
  const own = new Set(await past('paula@example.com', 25))
  const headers = await as('paula@example.com')
  const seen: string[] = []
  for (let path: string | null = '/api/v1/conversations?limit=4'; path !== null; ) {
    const found: Page = await page(path, headers)
    seen.push(...found.conversations.map(({ session_id }) => session_id))
    await door.store.database`
      insert into sessions (id, person, state, expires_at) values (${randomUUID()}, ${await personOf('paula@example.com')}, 'closed', now())`
    path = found.next
  }
  expect(seen).toHaveLength(25)
  expect(new Set(seen)).toEqual(own)
})

test("everybody lists and exports their own; other people's take the scope, and are written down", async () => {
  const [mine] = [await past(alice, 3), await past(bob, 2)]
  const own = await page('/api/v1/conversations')
  expect(new Set(own.conversations.map(({ person }) => person))).toEqual(new Set([alice]))
  expect((await door.get(`/api/v1/conversations?person=${bob}`)).status).toBe(403)
  expect((await door.get(`/api/v1/conversations/export?person=${bob}`)).status).toBe(403)
  expect((await door.get('/api/v1/conversations', await as(null, { service: 'hr' }))).status).toBe(403)
  for (const query of ['state=x', 'from=yesterday', 'after=1', 'limit=0', 'person=x', 'from=2026-01-01T00:00:00']) {
    expect((await door.get(`/api/v1/conversations?${query}`)).status, query).toBe(400)
  }
  const bobs = await page(`/api/v1/conversations?person=${bob}`, await auditor())
  expect(bobs.conversations).toHaveLength(2)
  expect((await page(`/api/v1/conversations?agent=it-help&state=closed`)).conversations).toHaveLength(1)
  expect((await page(`/api/v1/conversations?to=2025-12-31T00:00:00Z`)).conversations).toEqual([])

  const exported = await door.get(`/api/v1/conversations/export`)
  expect(exported.headers.get('content-type')).toBe('application/x-ndjson')
  const lines = (await exported.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string })
  expect(lines.map(({ type }) => type).slice(0, 4)).toEqual(['conversation', 'message', 'message', 'conversation'])
  expect(lines).toHaveLength(own.conversations.length * 3)
  expect((await trail('?action=conversation.exported')).length).toBe(0)
  await (await door.get(`/api/v1/conversations/export?person=${bob}`, await auditor())).text()
  expect((await trail('?action=conversation.exported')).map(({ subject }) => subject).sort()).toEqual(
    bobs.conversations.map(({ session_id }) => session_id).sort(),
  )
  const one = `/api/v1/conversations/${mine[0]}`
  expect((await door.get(`${one}/export`, await as(bob))).status).toBe(404)
  expect((await (await door.get(`${one}/export`)).text()).trim().split('\n')).toHaveLength(3)
  await door.get(one)
  expect((await trail(`?subject=${mine[0]}`)).length).toBe(0)
  await door.get(one, await auditor())
  expect(await trail(`?subject=${mine[0]}`)).toMatchObject([
    { action: 'conversation.read', actor: 'audit@example.com' },
  ])
})

test('a large conversation is exported as it is read: only what the reader takes is held', async () => {
  const [large] = await past('large@example.com', 1, 20_000)
  const response = await door.get(`/api/v1/conversations/${large}/export`, await as('large@example.com'))
  const before = process.memoryUsage().rss
  const reader = response.body?.getReader()
  let bytes = 0
  let lines = 0
  let most = 0
  for (let read = await reader?.read(); read !== undefined && !read.done; read = await reader?.read()) {
    bytes += read.value.byteLength
    lines += read.value.filter((byte: number) => byte === 10).length
    most = Math.max(most, read.value.byteLength)
  }
  expect(lines).toBe(20_001)
  expect(bytes).toBeGreaterThan(2_000_000)
  // No piece is larger than a page of messages; the whole was never in one.
  expect(most).toBeLessThan(bytes / 15)
  expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000)
})

test('a conversation is deleted by its person or with the scope, and not while anything of it is under way', async () => {
  const [first = '', second = ''] = await past(alice, 2)
  const path = (id: string) => `/api/v1/conversations/${id}`
  const mine = await as(alice)
  expect((await remove(path(first), await as(bob))).status).toBe(404)
  expect((await remove(path(first), await auditor())).status).toBe(404)
  await door.store.database`update sessions set turn = ${randomUUID()} where id = ${first}`
  const busy = await remove(path(first), mine)
  expect(busy.status).toBe(409)
  expect(await busy.json()).toMatchObject({
    code: 'conversation.busy',
    detail: expect.stringContaining('wait for the answer'),
  })
  await door.store.database`update sessions set turn = null where id = ${first}`
  expect((await remove(path(first), mine)).status).toBe(204)
  expect((await remove(path(first), mine)).status).toBe(404)
  expect((await remove(path(second), await as('dpo@example.com', { scopes: ['conversations:delete'] }))).status).toBe(
    204,
  )
  expect(await trail('?action=conversation.deleted')).toMatchObject([
    { subject: second, actor: 'dpo@example.com' },
    { subject: first, actor: alice },
  ])
})

test('a hand-off is listed and released by whoever may, once', async () => {
  const [session = ''] = await past(bob, 1)
  const id = randomUUID()
  await door.store.database`
    insert into handoffs (id, session, turn, why, ticket, opened_at, told_at)
    values (${id}, ${session}, ${randomUUID()}, 'asked', 'REQ1', now(), now())`
  expect((await door.get('/api/v1/handoffs')).status).toBe(403)
  const desk = await as('desk@example.com', { scopes: ['handoffs:manage'] })
  const { handoffs } = (await (await door.get('/api/v1/handoffs', desk)).json()) as { handoffs: object[] }
  expect(handoffs).toMatchObject([{ id, person: bob, ticket: 'REQ1', state: 'open' }])
  const release = async (of: string, headers: Record<string, string>) =>
    await fetch(`${door.url}/api/v1/handoffs/${of}/release`, { method: 'POST', headers })
  expect((await release(id, await as(bob))).status).toBe(403)
  expect((await release(randomUUID(), desk)).status).toBe(404)
  expect(await (await release(id, desk)).json()).toEqual({ id, result: 'released' })
  expect(await (await release(id, desk)).json()).toEqual({ id, result: 'already-released' })
  expect(await trail(`?subject=${id}`)).toMatchObject([{ action: 'handoff.released', actor: 'desk@example.com' }])
  expect((await door.get('/api/v1/audit')).status).toBe(403)
})
