import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { receive } from '../../shared/channels/receive.ts'
import { createLog } from '../../shared/telemetry/log.ts'
import { atOnce, openTestDoor, type TestDoor } from './test-door.ts'

/** How many messages of one person may wait: the most of each channel, however many come at once, and never one dropped. */
const most = 30
let door: TestDoor
beforeAll(async () => {
  door = await openTestDoor()
})
afterAll(() => door.close())
afterEach(() => door.calm())

const as = async (email: string) => ({ ...atOnce, authorization: `Bearer ${await door.token(email)}` })
const waiting = async (email: string) => {
  const [row] = await door.store.database`
    select count(*)::int as rows from requests where identity = ${`email:${email}`} and state in ('accepted', 'queued')`
  return row?.['rows']
}

test('of a hundred at once, as many as may wait are taken, and each of the others is told so', async () => {
  const headers = await as('alice@example.com')
  const sent = Array.from({ length: 100 }, (_, number) => door.ask({ content: `message ${number}` }, headers))
  const answers = await Promise.all(sent)
  const refused = answers.filter(({ status }) => status === 429)
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(most)
  expect(refused).toHaveLength(100 - most)
  for (const { headers: told, body } of refused) {
    expect(told.get('retry-after')).toBe('10')
    expect(body).toMatchObject({ code: 'request.too-many', detail: expect.stringContaining('30 messages waiting') })
  }
  expect(await waiting('alice@example.com')).toBe(most)
  // Neither other people nor the person's other channels are held up.
  expect((await door.ask({ content: 'x' }, await as('bob@example.com'))).status).toBe(202)
  expect((await door.ask({ content: 'x' }, headers, '/api/v1/requests/web')).status).toBe(202)
  // One that is answered makes room for one.
  const [oldest] = await door.store.database<{ id: string }[]>`
    select id from requests where identity = 'email:alice@example.com' and channel = 'generic' limit 1`
  await door.answer(oldest?.id ?? '', 'done')
  const two = await Promise.all([door.ask({ content: 'y' }, headers), door.ask({ content: 'z' }, headers)])
  expect(two.map(({ status }) => status).sort()).toEqual([202, 429])
})

test('what was taken before is known again, also where no more may wait', async () => {
  const headers = { ...(await as('carol@example.com')), 'idempotency-key': 'one' }
  const first = await door.ask({ content: 'the first' }, headers)
  await Promise.all(Array.from({ length: most }, async () => door.ask({ content: 'x' }, await as('carol@example.com'))))
  expect(await door.ask({ content: 'the first' }, headers)).toMatchObject({
    status: 202,
    body: { request_id: first.body.request_id },
  })
  expect((await door.ask({ content: 'another' }, headers)).status).toBe(422)
  expect((await door.ask({ content: 'new' }, { ...headers, 'idempotency-key': 'two' })).status).toBe(429)
})

test('a message of a channel that is one too many is not taken, and its door hears so', async () => {
  const published: string[] = []
  const parts = {
    ...{
      database: door.store.database,
      now: () => new Date(),
      newId: randomUUID,
      randomBytes,
      log: createLog({}, { write: () => {} }),
    },
    ...{ publish: async ({ id }: { id: string }) => void published.push(id), messageLimit: 1_000, mostWaiting: 3 },
  }
  const take = (message: string) =>
    receive(parts, {
      ...{ channel: 'slack', message, person: 'dan@example.com', caller: 'slack:T1/U4', own: true, text: message },
      ...{ thread: null, context: {}, button: null, attachments: [] },
    })
  const taken = await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map(take))
  expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
  for (const one of taken) {
    if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'request.too-many', retryAfter: 10 })
  }
  const first = ['a', 'b', 'c', 'd', 'e'][taken.findIndex(({ status }) => status === 'fulfilled')] ?? ''
  expect(await take(first)).toMatchObject({ kind: 'accepted', again: true })
  expect(await waiting('dan@example.com')).toBe(3)
})
