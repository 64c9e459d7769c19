import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { eventTypes } from '../../shared/events/catalogue.ts'
import { openTestDoor, type TestDoor } from './test-door.ts'

/** Somebody else's yes: who may give it, once, in time, and what becomes of it. */
let door: TestDoor
let approval: string
beforeAll(async () => {
  door = await openTestDoor()
})
afterAll(() => door.close())

beforeEach(async () => {
  door.calm()
  const { body } = await door.ask({ content: 'five seats, please' })
  const session = await door.answer(body.request_id, 'I asked Bob.')
  approval = randomUUID()
  await door.store.database`
    insert into approvals (id, session, turn, step, tool, arguments, arguments_hash, person, expires_at, created_at,
      question, agent, continuation, request)
    values (${approval}, ${session}, ${randomUUID()}, 'approve', 'x.y', '{"seats": 5}', 'h', 'bob@example.com',
      now() + interval '1 day', now(), 'Five seats?', 'software-licence', '{}', ${body.request_id})`
  door.broker.events.length = 0
})

const as = async (email: string | null, more = {}) => ({ authorization: `Bearer ${await door.token(email, more)}` })
const decide = async (decision: unknown, email: string | null = 'bob@example.com', more = {}) => {
  const response = await door.post(`/api/v1/approvals/${approval}`, { decision }, await as(email, more))
  const body = (await response.json()) as { state?: string; code?: string }
  return { status: response.status, said: body.state ?? body.code }
}
const decisions = () => door.store.database`
  select speaker, identity, content, channel from requests where approval = ${approval}`

test('the person it was asked of sees what waits for them, nobody else does', async () => {
  const seen = async (email: string) => {
    const response = await door.get('/api/v1/approvals', await as(email))
    return ((await response.json()) as { approvals: { id: string }[] }).approvals.filter(({ id }) => id === approval)
  }
  expect(await seen('bob@example.com')).toMatchObject([
    { requester: 'alice@example.com', question: 'Five seats?', arguments: { seats: 5 } },
  ])
  expect(await seen('alice@example.com')).toEqual([])
})

test('the one who asked sees what is waited for, and the request that tells what came of it; nobody else does', async () => {
  const awaited = async (email: string | null, more = {}) => {
    const response = await door.get('/api/v1/approvals/awaited', await as(email, more))
    const { approvals } = (await response.json()) as { approvals?: { id: string }[] }
    return approvals?.filter(({ id }) => id === approval) ?? response.status
  }
  const waiting = { asked_of: 'bob@example.com', question: 'Five seats?', state: 'open', request_id: null }
  expect(await awaited('alice@example.com')).toMatchObject([waiting])
  await decide('approve')
  const [decision] = await door.store.database`select id from requests where approval = ${approval}`
  expect(await awaited('alice@example.com')).toMatchObject([{ state: 'approved', request_id: decision?.['id'] }])
  // Used up by the turn that followed: still a yes.
  await door.store.database`update approvals set state = 'used' where id = ${approval}`
  expect(await awaited('alice@example.com')).toMatchObject([{ state: 'approved' }])
  for (const email of ['bob@example.com', 'mallory@example.com']) expect(await awaited(email)).toEqual([])
  expect(await awaited(null, { service: 'hr' })).toBe(403)
})

test.each([
  ['approve', 'approved', 'Approved.'],
  ['decline', 'declined', 'Declined.'],
])('%s counts once and enters the conversation of the one who asked', async (word, state, content) => {
  expect(await decide(word)).toEqual({ status: 200, said: state })
  expect(await decide(word)).toEqual({ status: 200, said: state })
  expect(await decide(word === 'approve' ? 'decline' : 'approve')).toEqual({ status: 409, said: 'approval.decided' })
  expect(await decisions()).toMatchObject([
    { speaker: 'bob@example.com', identity: 'email:alice@example.com', content, channel: 'generic' },
  ])
  // Each time the same event, as long as no queue has seen it: the first try may have died before the broker had it.
  expect(new Set(door.broker.events.map((event) => JSON.stringify(event))).size).toBe(1)
  expect(door.broker.events[0]).toMatchObject({ type: eventTypes.requestCreated })
  expect(door.broker.events).toHaveLength(3)
  const response = await door.get('/api/v1/approvals', await as('bob@example.com'))
  expect(JSON.stringify(await response.json())).not.toContain(approval)
})

test('nobody else may decide: not the one who asks, not another, not a program, not an operator', async () => {
  expect(await decide('approve', 'alice@example.com')).toEqual({ status: 404, said: 'request.not-found' })
  expect(await decide('approve', 'carol@example.com')).toEqual({ status: 404, said: 'request.not-found' })
  expect(await decide('approve', 'bob@example.com', { service: 'bot' })).toMatchObject({ status: 403 })
  expect(await decide('approve', null, { service: 'bot' })).toMatchObject({ status: 403 })
  const scopes = ['requests:act-for-others', 'dead-letters:manage']
  expect(await decide('approve', 'carol@example.com', { scopes })).toMatchObject({ status: 404 })
  expect(await decisions()).toEqual([])
})

test('what is no decision is none, and a late one is told that it is late', async () => {
  for (const word of ['yes', '', null, ['approve']]) expect(await decide(word)).toMatchObject({ status: 400 })
  await door.store.database`update approvals set expires_at = now() where id = ${approval}`
  expect(await decide('approve')).toEqual({ status: 409, said: 'approval.expired' })
  expect(await decisions()).toEqual([])
})

test('ten decisions at once are one', async () => {
  const words = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? 'approve' : 'decline'))
  const outcomes = await Promise.all(words.map((word) => decide(word)))
  expect(new Set(outcomes.map(({ said }) => said)).size).toBe(2)
  expect(await decisions()).toHaveLength(1)
})

test('a broker that takes nothing does not lose the decision', async () => {
  door.broker.status = 503
  expect(await decide('approve')).toEqual({ status: 200, said: 'approved' })
  expect(await decisions()).toHaveLength(1)
})
