import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { createLog } from '../../shared/telemetry/log.ts'
import { createEventReader } from '../../web/sse.ts'
import { createEventStreams } from './events.ts'
import { openTestDoor, type TestDoor } from './test-door.ts'

let door: TestDoor
beforeAll(async () => {
  door = await openTestDoor()
})
afterAll(() => door.close())
afterEach(() => door.calm())

const as = async (email: string) => ({ authorization: `Bearer ${await door.token(email)}` })

/** The events of a stream until it ends, with what is under way meanwhile. */
async function read(email: string, lastId = '', meanwhile?: () => Promise<unknown>) {
  const response = await door.get('/api/v1/events', {
    ...(await as(email)),
    ...(lastId === '' ? {} : { 'last-event-id': lastId }),
  })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
  const reader = createEventReader(lastId)
  const events: { id: string; type: string; data: Record<string, unknown> }[] = []
  const decoder = new TextDecoder()
  let other: Promise<unknown> | undefined
  for await (const piece of response.body ?? []) {
    for (const event of reader(decoder.decode(piece, { stream: true }))) {
      events.push({ ...event, data: JSON.parse(event.data) })
    }
    other ??= meanwhile?.()
  }
  await other
  return events
}
const shown = (events: Awaited<ReturnType<typeof read>>) =>
  events.filter(({ type }) => type === 'message').map(({ data }) => [data['role'], data['content']])

test('with nothing under way a stream says so and ends', async () => {
  const events = await read('nobody@example.com')
  expect(events.map(({ type }) => type)).toEqual(['opened', 'idle'])
  expect(events[0]?.data).toMatchObject({ person: 'nobody@example.com', session_id: null, message_limit: 16_384 })
  expect(door.ingress.waiting()).toBe(0)
})

test('while a request waits it stays open, brings the answer, and ends', async () => {
  const { body } = await door.ask({ content: 'refresh' }, { ...(await as('ann@example.com')), prefer: 'respond-async' })
  const events = await read('ann@example.com', '', () => door.answer(body.request_id, 'Hello Ann.'))
  expect(events[1]).toMatchObject({ type: 'progress', data: { state: 'queued' } })
  expect(shown(events)).toEqual([
    ['employee', 'refresh'],
    ['agent', 'Hello Ann.'],
  ])
  expect(events.at(-1)).toMatchObject({ type: 'idle', data: { waiting: false } })
  expect(events.filter(({ type }) => type === 'message')[0]?.data).toMatchObject({ request_id: body.request_id })
})

test('by its last id a reader goes on where it stopped; without a known one it gets the newest', async () => {
  const header = { ...(await as('ben@example.com')), prefer: 'respond-async' }
  for (const number of [1, 2]) {
    const { body } = await door.ask({ content: `question ${number}` }, header)
    await door.answer(body.request_id, `answer ${number}`)
  }
  const all = await read('ben@example.com')
  expect(shown(all)).toHaveLength(4)
  const [, second] = all.filter(({ type }) => type === 'message')
  expect(shown(await read('ben@example.com', second?.id))).toEqual([
    ['employee', 'question 2'],
    ['agent', 'answer 2'],
  ])
  const last = all.filter(({ type }) => type === 'message').at(-1)
  expect(shown(await read('ben@example.com', last?.id))).toEqual([])
  for (const id of ['x', '1', '00000000-0000-7000-8000-000000000000/1', `${last?.id}1x`, '/', '../../1']) {
    expect(shown(await read('ben@example.com', id))).toHaveLength(4)
  }
})

test('nobody sees another’s conversation, whatever id they name', async () => {
  const own = await read('ben@example.com')
  const id = own.find(({ type }) => type === 'message')?.id ?? ''
  const theirs = await read('mallory@example.com', id)
  expect(theirs.map(({ type }) => type)).toEqual(['opened', 'idle'])
  const program = { authorization: `Bearer ${await door.token(null, { service: 'hr' })}` }
  expect((await door.get('/api/v1/events', program)).status).toBe(403)
})

test('a stream ends after its time and when the process is told to stop; readers at once are one query', async () => {
  let looks = 0
  const database = new Proxy(door.store.database, {
    apply(target, self, given) {
      looks += 1
      return Reflect.apply(target, self, given)
    },
  })
  const log = createLog({}, { write: () => {} })
  const parts = { database, log, now: () => new Date(), files: null, messageLimit: 1 }
  const streams = createEventStreams({ ...parts, longestMs: 400 })
  const caller = (email: string) => ({ subject: email, email, scopes: [] as string[], kind: 'person' as const })
  const request = () => new Request('http://door/api/v1/events')
  const people = Array.from({ length: 10 }, (_, index) => `p${index}@example.com`)
  for (const email of people) {
    await door.ask({ content: 'wait' }, { authorization: `Bearer ${await door.token(email)}`, prefer: 'respond-async' })
  }
  const started = performance.now()
  const texts = await Promise.all(people.map((email) => streams.open(request(), caller(email)).text()))
  expect(performance.now() - started).toBeGreaterThan(390)
  for (const text of texts) expect(text).toMatch(/event: progress.*\n\n$/s)
  for (const text of texts) expect(text).not.toContain('event: idle')
  // Ten readers for 400 ms, each looking every 60 ms: sixty looks, in a tenth of the queries.
  expect(looks).toBeLessThan(20)
  expect(streams.count()).toBe(0)

  const long = createEventStreams(parts)
  const open = Array.from({ length: 12 }, () => long.open(request(), caller('p0@example.com')))
  expect(() => long.open(request(), caller('p0@example.com'))).toThrow('at most 12')
  await open[0]?.body?.cancel()
  expect(long.count()).toBe(11)
  const rest = open.slice(1).map((response) => response.text())
  long.stop()
  await Promise.all(rest)
  await vi.waitFor(() => expect(long.count()).toBe(0))
})
