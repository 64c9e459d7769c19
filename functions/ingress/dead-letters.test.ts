import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { eventTypes } from '../../shared/events/catalogue.ts'
import { openTestDoor, type TestDoor } from './test-door.ts'

const run = promisify(execFile)

/** The operator's desk: what was given up is seen, redriven once, or put away. */
let door: TestDoor
let operator: Record<string, string>
beforeAll(async () => {
  door = await openTestDoor()
  const token = await door.token('ops@example.com', { scopes: ['dead-letters:manage'] })
  operator = { authorization: `Bearer ${token}` }
})
afterAll(() => door.close())
beforeEach(async () => {
  door.calm()
  await door.store.database`delete from dead_letters`
})

const treat = async (action: string, ids: string[]) => {
  const response = await door.post('/api/v1/dead-letters', { action, ids }, operator)
  const body = (await response.json()) as { dead_letters: { id: string; result: string; request_id: string | null }[] }
  return body.dead_letters
}
const list = async (query = '') =>
  (await (await door.get(`/api/v1/dead-letters${query}`, operator)).json()) as {
    dead_letters: { id: string; state: string; decided_by: string | null }[]
    next: string | null
  }

/** A dead letter of a request that was closed with an apology, or of an event that nobody waited for. */
async function letter(outcome: 'closed' | 'recorded'): Promise<{ id: string; request: string; event: string }> {
  const { body } = await door.ask({ content: 'my words' })
  const { event } = await door.rowOf(body.request_id)
  if (outcome === 'closed')
    await door.store.database`update requests set state = 'failed' where id = ${body.request_id}`
  const id = randomUUID()
  await door.store.database`
    insert into dead_letters (id, event, event_type, failed_at, error_code, error_data, outcome, received_at)
    values (${id}, ${event}, ${eventTypes.requestCreated}, 'http://normalize/', 422, '{"code":"x"}', ${outcome}, now())`
  door.broker.events.length = 0
  return { id, request: body.request_id, event }
}

test('a closed one is said again as a new message, once, by the operator and not by the employee', async () => {
  const { id, request } = await letter('closed')
  const [first] = await treat('redrive', [id])
  expect(first).toMatchObject({ result: 'redriven', request_id: expect.any(String) })
  expect(first?.request_id).not.toBe(request)
  expect(await treat('redrive', [id])).toMatchObject([{ result: 'already-redriven' }])
  expect(await treat('discard', [id])).toMatchObject([{ result: 'already-redriven' }])
  expect(await door.rowOf(first?.request_id ?? '')).toMatchObject({
    content: 'my words',
    identity: 'email:alice@example.com',
    caller: 'ops@example.com',
    speaker: null,
    state: 'accepted',
  })
  expect(door.broker.events).toMatchObject([{ data: { request_id: first?.request_id } }])
})

test('one that was only recorded, and whose words were given up later, is said again; one that is deleted is gone', async () => {
  const recorded = await letter('recorded')
  await door.store.database`update requests set state = 'failed' where id = ${recorded.request}`
  expect(await treat('redrive', [recorded.id])).toMatchObject([{ result: 'redriven', request_id: expect.any(String) }])
  const closed = await letter('closed')
  await door.store.database`delete from requests where id = ${closed.request}`
  expect(await treat('redrive', [closed.id])).toMatchObject([{ result: 'gone', request_id: null }])
})

test('one that nobody waited for goes out again as it was, and stays stored while the broker takes nothing', async () => {
  const { id, event } = await letter('recorded')
  door.broker.status = 503
  expect(await treat('redrive', [id])).toMatchObject([{ result: 'broker-unavailable', request_id: null }])
  expect((await list()).dead_letters).toMatchObject([{ id, state: 'stored', decided_by: null }])
  door.broker.status = 202
  door.broker.events.length = 0
  expect(await treat('redrive', [id])).toMatchObject([{ result: 'redriven', request_id: null }])
  expect(door.broker.events).toEqual([JSON.parse(event)])
  expect((await list('?state=redriven')).dead_letters).toMatchObject([{ id, decided_by: 'ops@example.com' }])
})

test('many at once: each gets its own result', async () => {
  const [one, two] = [await letter('closed'), await letter('recorded')]
  const missing = randomUUID()
  await treat('discard', [two.id])
  const results = await treat('redrive', [one.id, missing, two.id, one.id])
  expect(results.map(({ id, result }) => [id, result])).toEqual([
    [one.id, 'redriven'],
    [missing, 'not-found'],
    [two.id, 'already-discarded'],
  ])
  expect((await list()).dead_letters).toEqual([])
})

test('the list pages in order of arrival, and one is shown with its event', async () => {
  const letters = [await letter('closed'), await letter('recorded'), await letter('closed')]
  const first = await list('?limit=2')
  const second = (await (await door.get(first.next ?? '', operator)).json()) as typeof first
  expect([...first.dead_letters, ...second.dead_letters].map(({ id }) => id)).toEqual(letters.map(({ id }) => id))
  expect(second.next).toBeNull()
  const shown = await (await door.get(`/api/v1/dead-letters/${letters[0]?.id}`, operator)).json()
  expect(shown).toMatchObject({ error_code: 422, event: JSON.parse(letters[0]?.event ?? ''), steps: [] })
  expect((await door.get('/api/v1/dead-letters?state=lost', operator)).status).toBe(400)
  expect((await door.get(`/api/v1/dead-letters/${randomUUID()}`, operator)).status).toBe(404)
})

test('the operator does the same by make dead-letters: list, show, redrive, discard', async () => {
  const token = await door.token('ops@example.com', { scopes: ['dead-letters:manage'] })
  const command = async (...more: string[]) => {
    const options = { env: { ...process.env, API_URL: door.url, TOKEN: token } }
    return (await run(process.execPath, ['scripts/dead-letters.ts', ...more], options)).stdout
  }
  const [one, two, three] = [await letter('closed'), await letter('closed'), await letter('recorded')]
  expect((await command()).match(/^[0-9a-f-]{36}/gm)).toEqual([one.id, two.id, three.id])
  expect(JSON.parse(await command('--show', one.id))).toMatchObject({ id: one.id, event: JSON.parse(one.event) })
  expect(await command('--discard', three.id)).toBe(`${three.id}  discarded\n`)
  expect(await command('--redrive', one.id)).toMatch(new RegExp(`^${one.id}  redriven as request [0-9a-f-]{36}\n$`))
  expect(await command('--redrive-all')).toContain(`${two.id}  redriven as request`)
  expect(await command()).toBe('There are none.\n')
})
