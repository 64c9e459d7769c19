import { request as httpRequest } from 'node:http'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { openTestDoor, type TestDoor } from './test-door.ts'

let door: TestDoor
beforeAll(async () => {
  door = await openTestDoor()
})
afterAll(() => door.close())
afterEach(() => door.calm())

test('respond-async answers at once where to look', async () => {
  const { status, headers, body } = await door.ask({ content: 'hello' })
  expect(status).toBe(202)
  expect(body).toEqual({ request_id: expect.any(String), session_id: null, status: 'accepted' })
  expect(headers.get('location')).toBe(`/api/v1/requests/${body.request_id}`)
  expect(headers.get('preference-applied')).toBe('respond-async')
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  expect(door.broker.events).toHaveLength(1)

  const early = await door.get(headers.get('location') ?? '')
  expect(early.status).toBe(202)
  expect(await early.json()).toEqual(body)
  const later = door.get(headers.get('location') ?? '', { prefer: 'wait=10' })
  await door.answer(body.request_id, 'Done.')
  expect(await (await later).json()).toMatchObject({ status: 'completed', response: { content: 'Done.' } })
})

test('wait=N waits no longer, and tells the session that is known by then', async () => {
  const start = performance.now()
  const asking = door.ask({ content: 'hello' }, { prefer: 'wait=1' })
  await vi.waitFor(() => expect(door.broker.events).toHaveLength(1), { interval: 2 })
  const id = String(door.broker.events[0]?.['correlationid'])
  const session = await door.answer(id, 'not yet', 'queued')
  const { status, headers, body } = await asking
  expect(status).toBe(202)
  expect(body).toEqual({ request_id: id, session_id: session, status: 'accepted' })
  expect(performance.now() - start).toBeGreaterThan(990)
  expect(headers.get('preference-applied')).toBe('wait=1')
  expect(performance.now() - start).toBeLessThan(3_000)
})

test('an answer reaches the waiting caller within a blink', async () => {
  const took: number[] = []
  for (let round = 0; round < 10; round += 1) {
    door.broker.events.length = 0
    const asking = door.ask({ content: 'hello' }, {})
    await door.answerNext('Done.')
    const answered = performance.now()
    await asking
    took.push(performance.now() - answered)
  }
  expect(took.sort((a, b) => a - b)[5]).toBeLessThan(30)
})

test('a hundred wait at once and each gets its own answer', async () => {
  // Of ten people: more than thirty of one person are not taken.
  const callers = await Promise.all(Array.from({ length: 10 }, (_, n) => door.token(`person${n}@example.com`)))
  const asking = Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      door.ask({ content: `question ${n}` }, { authorization: `Bearer ${callers[n % 10]}` }),
    ),
  )
  await vi.waitFor(() => expect(door.broker.events).toHaveLength(100), { timeout: 10_000 })
  for (const event of [...door.broker.events]) {
    const id = String(event['correlationid'])
    await door.answer(id, `answer to ${(await door.rowOf(id)).content}`)
  }
  const answers = await asking
  expect(answers.map(({ body }) => body.response.content)).toEqual(
    Array.from({ length: 100 }, (_, n) => `answer to question ${n}`),
  )
  expect(door.ingress.waiting()).toBe(0)
})

test('who hangs up is not waited for', async () => {
  const authorization = `Bearer ${await door.token('alice@example.com')}`
  const call = httpRequest(`${door.url}/api/v1/requests`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
  })
  call.on('error', () => {})
  call.end(JSON.stringify({ content: 'hello' }))
  await vi.waitFor(() => expect(door.ingress.waiting()).toBe(1), { interval: 2 })
  call.destroy()
  await vi.waitFor(() => expect(door.ingress.waiting()).toBe(0), { interval: 2 })
  expect(await door.rowOf(String(door.broker.events[0]?.['correlationid']))).toMatchObject({ state: 'accepted' })
})
