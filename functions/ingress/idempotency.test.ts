import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { atOnce, openTestDoor, type TestDoor } from './test-door.ts'

let door: TestDoor
beforeAll(async () => {
  door = await openTestDoor()
})
afterAll(() => door.close())
afterEach(() => door.calm())

const withKey = (key: string) => ({ ...atOnce, 'idempotency-key': key })

test('twenty at once make one row and get one request', async () => {
  const asked = await Promise.all(Array.from({ length: 20 }, () => door.ask({ content: 'once' }, withKey('twenty'))))
  expect(new Set(asked.map(({ status }) => status))).toEqual(new Set([202]))
  expect(new Set(asked.map(({ body }) => body.request_id)).size).toBe(1)
  const rows = await door.store.database`select 1 from requests where idempotency_key = 'twenty'`
  expect(rows).toHaveLength(1)
  expect(new Set(door.broker.events.map(({ id }) => id)).size).toBe(1)
})

test('the same again gets the same answer, and no new event once it is under way', async () => {
  const first = await door.ask({ content: 'once' }, withKey('again'))
  await door.answer(first.body.request_id, 'Done.')
  door.broker.events.length = 0
  const second = await door.ask({ content: 'once' }, withKey('again'))
  const third = await door.ask({ content: 'once' }, { 'idempotency-key': 'again' })
  expect(second).toMatchObject({ status: 200, body: { request_id: first.body.request_id, status: 'completed' } })
  expect(third.body).toEqual(second.body)
  expect(door.broker.events).toEqual([])
})

test('a repetition heals a publication that failed', async () => {
  door.broker.status = 503
  const first = await door.ask({ content: 'once' }, withKey('heal'))
  door.broker.status = 202
  const second = await door.ask({ content: 'once' }, withKey('heal'))
  expect(second.body.request_id).toBe(first.body.request_id)
  expect(door.broker.events).toEqual([JSON.parse((await door.rowOf(first.body.request_id)).event)])
})

test('another body or route is refused, another caller is not', async () => {
  await door.ask({ content: 'once' }, withKey('body'))
  for (const other of [
    await door.ask({ content: 'twice' }, withKey('body')),
    await door.ask({ content: 'once' }, withKey('body'), '/api/v1/requests/web'),
  ]) {
    expect(other).toMatchObject({ status: 422, body: { code: 'request.idempotency-mismatch' } })
  }
  const authorization = `Bearer ${await door.token('bob@example.com')}`
  expect(await door.ask({ content: 'twice' }, { ...withKey('body'), authorization })).toMatchObject({ status: 202 })
})

test.each(['', 'a'.repeat(256), 'schl\u00fcssel', 'a\tb'])('key %j is malformed', async (key) => {
  expect(await door.ask({ content: 'once' }, withKey(key))).toMatchObject({
    status: 400,
    body: { code: 'request.malformed' },
  })
})
test.each(['a', '"quoted key"', 'a'.repeat(255), '~!@#'])('key %j is taken', async (key) => {
  expect(await door.ask({ content: 'once' }, withKey(key))).toMatchObject({ status: 202 })
})
