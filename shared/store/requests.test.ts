import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { acceptRequest, findAnswered, findConversation, findRequest, type NewRequest } from './requests.ts'

let store: TestDatabase
beforeAll(async () => {
  store = await createTestDatabase()
})
afterAll(() => store.drop())

function request(more: Partial<NewRequest> = {}): NewRequest {
  const id = randomUUID()
  return {
    id,
    caller: 'alice',
    speaker: 'alice@example.com',
    button: null,
    identity: 'email:alice@example.com',
    channel: 'web',
    channelMessage: null,
    idempotencyKey: null,
    bodyHash: 'hash',
    requestType: 'message',
    content: 'I need a laptop',
    metadata: { nested: { list: [1, null, 'ä'] } },
    context: { user_agent: 'test' },
    target: { channel: 'web', thread: null },
    traceparent: '00-1-1-01',
    event: '{"id":"e"}',
    acceptedAt: new Date('2026-01-02T03:04:05.678Z'),
    approval: null,
    ...more,
  }
}

test('a request is found as it was accepted', async () => {
  const row = request()
  expect(await acceptRequest(store.database, row)).toEqual({ outcome: 'created' })
  expect(await findRequest(store.database, row.id)).toEqual({
    id: row.id,
    caller: 'alice',
    identity: 'email:alice@example.com',
    state: 'accepted',
    session: null,
    bodyHash: 'hash',
    event: '{"id":"e"}',
    response: null,
  })
  const [raw] = await store.database`select metadata, context, target, accepted_at from requests where id = ${row.id}`
  expect(raw).toEqual({
    metadata: row.metadata,
    context: row.context,
    target: row.target,
    accepted_at: row.acceptedAt,
  })
  expect(await findRequest(store.database, randomUUID())).toBeNull()
})

test('one caller, one key, one row, however many come at once', async () => {
  const rows = Array.from({ length: 20 }, () => request({ idempotencyKey: 'k1' }))
  const outcomes = await Promise.all(rows.map((row) => acceptRequest(store.database, row)))
  expect(outcomes.filter(({ outcome }) => outcome === 'created')).toHaveLength(1)
  const repeated = outcomes.flatMap((one) => (one.outcome === 'repeated' ? [one.request.id] : []))
  expect(repeated).toHaveLength(19)
  const winner = rows[outcomes.findIndex(({ outcome }) => outcome === 'created')]?.id
  expect(new Set(repeated)).toEqual(new Set([winner]))
})

test("another body is a mismatch, another caller's key is no matter", async () => {
  const first = request({ idempotencyKey: 'k2' })
  await acceptRequest(store.database, first)
  expect(await acceptRequest(store.database, request({ idempotencyKey: 'k2', bodyHash: 'other' }))).toMatchObject({
    outcome: 'mismatched',
    request: { id: first.id },
  })
  expect(await acceptRequest(store.database, request({ idempotencyKey: 'k2', caller: 'bob' }))).toEqual({
    outcome: 'created',
  })
})

test("a channel's message is accepted once, whoever's key it has", async () => {
  const first = request({ channelMessage: 'm1' })
  await acceptRequest(store.database, first)
  expect(await acceptRequest(store.database, request({ channelMessage: 'm1', idempotencyKey: 'fresh' }))).toMatchObject(
    {
      outcome: 'repeated',
      request: { id: first.id },
    },
  )
  const elsewhere = request({ channelMessage: 'm1', channel: 'cli' })
  expect(await acceptRequest(store.database, elsewhere)).toEqual({ outcome: 'created' })
})

test("a person's rows are numbered in the order in which they become visible", async () => {
  const slow = request({ identity: 'email:carol@example.com' })
  const fast = request({ identity: 'email:carol@example.com' })
  const other = request({ identity: 'email:dan@example.com' })
  let commit: () => void = () => {}
  const held = new Promise<void>((resolve) => {
    commit = resolve
  })
  let inserted: () => void = () => {}
  const begun = new Promise<void>((resolve) => {
    inserted = resolve
  })
  const transaction = store.database.begin(async (sql) => {
    await acceptRequest(sql, slow)
    inserted()
    await held
  })
  await begun
  let passed = false
  const second = acceptRequest(store.database, fast).then(() => {
    passed = true
  })
  // Somebody else's request is not held up, and by then the person's own would have overtaken if it could.
  await acceptRequest(store.database, other)
  await waitForLock()
  expect(passed).toBe(false)
  commit()
  await Promise.all([transaction, second])
  const order =
    await store.database`select id from requests where id in ${store.database([slow.id, fast.id])} order by accepted`
  expect(order.map((row) => row['id'])).toEqual([slow.id, fast.id])
})

test('only requests that have their answer are found by those who wait', async () => {
  const [waiting, done, failed] = [request(), request(), request()]
  for (const row of [waiting, done, failed]) await acceptRequest(store.database, row)
  const response = { content: 'Done', agent_id: 'laptop-refresh', response_type: 'message', unknown: 1 }
  await store.database`update requests set state = 'answered', response = ${JSON.stringify(response)}::text::jsonb where id = ${done.id}`
  await store.database`update requests set state = 'failed' where id = ${failed.id}`
  const found = await findAnswered(store.database, [waiting.id, done.id, failed.id])
  expect(found).toHaveLength(2)
  expect(found.find(({ id }) => id === done.id)?.response).toEqual({
    content: 'Done',
    agent_id: 'laptop-refresh',
    metadata: {},
    processing_time_ms: 0,
    requires_followup: false,
    followup_actions: [],
  })
  expect(found.find(({ id }) => id === failed.id)).toMatchObject({ state: 'failed', response: null })
  expect(await findAnswered(store.database, [])).toEqual([])
})

test("a conversation is the person's own, in order, page by page", async () => {
  const session = randomUUID()
  const [person] = await store.database`insert into people (email) values ('eve@example.com') returning id`
  await store.database`insert into identities (identity, person) values ('email:eve@example.com', ${person?.['id']})`
  await store.database`insert into sessions (id, person, agent, expires_at) values (${session}, ${person?.['id']}, 'router', now())`
  for (const number of [2, 1, 3]) {
    await store.database`insert into messages (session, number, role, content, state, created_at)
      values (${session}, ${number}, 'employee', ${`message ${number}`}, 'done', now())`
  }
  const page = { email: 'eve@example.com', after: 0, limit: 2 }
  expect(await findConversation(store.database, session, page)).toMatchObject({
    id: session,
    state: 'open',
    agent: 'router',
    messages: [{ number: 1, content: 'message 1', request: null, createdAt: expect.any(Date) }, { number: 2 }],
  })
  expect((await findConversation(store.database, session, { ...page, after: 2 }))?.messages).toMatchObject([
    { number: 3 },
  ])
  expect(await findConversation(store.database, session, { ...page, email: null })).not.toBeNull()
  expect(await findConversation(store.database, session, { ...page, email: 'bob@example.com' })).toBeNull()
  expect(await findConversation(store.database, randomUUID(), { ...page, email: null })).toBeNull()
})

async function waitForLock(): Promise<void> {
  for (;;) {
    const [row] = await store.database`
      select count(*)::int as waiting from pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())`
    if (row?.['waiting'] === 1) return
  }
}

test('what stands in the way by its id, or as the same decision, is given as the row that was there first', async () => {
  const { database } = store
  const [session, approval] = [randomUUID(), randomUUID()]
  const [person] = await database`insert into people (email) values (${`${approval}@example.com`}) returning id`
  await database`insert into sessions (id, person, expires_at) values (${session}, ${person?.['id']}, now())`
  await database`
    insert into approvals (id, session, turn, step, tool, arguments, arguments_hash, person, expires_at, created_at, question)
    values (${approval}, ${session}, ${randomUUID()}, 's', 't', '{}', 'h', 'bob@example.com', now(), now(), '?')`
  const first = request({ approval })
  await acceptRequest(database, first)
  const same = { request: { id: first.id, event: first.event } }
  expect(await acceptRequest(database, request({ id: first.id }))).toMatchObject({ outcome: 'repeated', ...same })
  expect(await acceptRequest(database, request({ approval, bodyHash: 'other' }))).toMatchObject({
    outcome: 'mismatched',
    ...same,
  })
}, 10_000)
