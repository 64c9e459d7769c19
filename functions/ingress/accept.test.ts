import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { eventTypes } from '../../shared/events/catalogue.ts'
import { deterministicId } from '../../shared/events/event.ts'
import { atOnce, openTestDoor, type TestDoor } from './test-door.ts'

let door: TestDoor
beforeAll(async () => {
  door = await openTestDoor()
})
afterAll(() => door.close())
afterEach(() => door.calm())

test('who waits gets the answer, in exactly these fields', async () => {
  const asking = door.ask({ content: 'I need a laptop' }, {})
  const session = await door.answerNext('Here are four laptops.')
  const { status, body } = await asking
  expect(status).toBe(200)
  expect(body).toEqual({
    request_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
    session_id: session,
    status: 'completed',
    response: {
      content: 'Here are four laptops.',
      agent_id: 'laptop-refresh',
      metadata: { steps: 2 },
      processing_time_ms: 12,
      requires_followup: true,
      followup_actions: ['confirm'],
    },
  })
})

test('a request that failed is answered with its apology', async () => {
  const asking = door.ask({ content: 'hello' }, {})
  await door.answerNext('Something went wrong.', 'failed')
  expect((await asking).body).toMatchObject({ status: 'failed', response: { content: 'Something went wrong.' } })
})

test('the row carries the event, and the broker gets the same', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const { body } = await door.ask({ content: 'hello', metadata: { a: [1] } }, { ...atOnce, traceparent })
  const row = await door.rowOf(body.request_id)
  const event = {
    specversion: '1.0',
    id: deterministicId(eventTypes.requestCreated, body.request_id),
    source: '/ingress',
    type: 'com.self-service-agent.request.created',
    subject: 'generic:alice@example.com',
    partitionkey: 'generic:alice@example.com',
    time: row.accepted_at.toISOString(),
    datacontenttype: 'application/json',
    correlationid: body.request_id,
    traceparent,
    hops: '0',
    data: { request_id: body.request_id },
  }
  expect(JSON.parse(row.event)).toEqual(event)
  expect(door.broker.events).toEqual([event])
  expect(row).toMatchObject({
    caller: 'alice@example.com',
    speaker: 'alice@example.com',
    identity: 'email:alice@example.com',
    channel: 'generic',
    channel_message: null,
    request_type: 'message',
    content: 'hello',
    metadata: { a: [1] },
    context: {},
    target: { channel: 'generic', thread: null },
    traceparent,
    state: 'accepted',
  })
})

test.each([undefined, 'nonsense', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`])(
  'traceparent %s is replaced',
  async (sent) => {
    const { body } = await door.ask({ content: 'hello' }, { ...atOnce, ...(sent ? { traceparent: sent } : {}) })
    const kept = (await door.rowOf(body.request_id)).traceparent
    expect(kept).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    expect(kept).not.toBe(sent)
  },
)

test('each channel keeps its own fields, drops unknown ones and the session token', async () => {
  const common = { user_id: 'ALICE@example.com', content: 'hello', unknown: 1 }
  const web = await door.ask(
    { ...common, integration_type: 'WEB', session_token: 'secret', client_ip: '::1', user_agent: null },
    atOnce,
    '/api/v1/requests/web',
  )
  expect(await door.rowOf(web.body.request_id)).toMatchObject({ channel: 'web', context: { client_ip: '::1' } })
  const cli = await door.ask({ ...common, integration_type: 'Cli', cli_session_id: 'c', command_context: { x: 1 } })
  expect(await door.rowOf(cli.body.request_id)).toMatchObject({
    channel: 'cli',
    context: { cli_session_id: 'c', command_context: { x: 1 } },
  })
  const authorization = `Bearer ${await door.token('alice@example.com', { service: 'hr' })}`
  const tool = await door.ask(
    { ...common, tool_id: 't', trigger_event: 'e', tool_context: { y: 2 } },
    { ...atOnce, authorization },
    '/api/v1/requests/tool',
  )
  expect(await door.rowOf(tool.body.request_id)).toMatchObject({
    channel: 'tool',
    caller: 'service:hr',
    speaker: null,
    context: { tool_id: 't', trigger_event: 'e', tool_context: { y: 2 } },
  })
  expect(JSON.stringify(await door.store.database`select * from requests`)).not.toContain('secret')
})

test('a broker that takes nothing does not lose the request', async () => {
  door.broker.status = 503
  const { status, body } = await door.ask({ content: 'hello' })
  expect(status).toBe(202)
  expect(await door.rowOf(body.request_id)).toMatchObject({ state: 'accepted' })
  expect(door.lines.filter((line) => line.includes('repair tick'))).toHaveLength(1)
})

test('a store that is away is a 503 that tells nothing of it', async () => {
  await door.store.database`alter table requests rename to hidden`
  const { status, headers, body } = await door.ask({ content: 'hello' })
  await door.store.database`alter table hidden rename to requests`
  expect(status).toBe(503)
  expect(headers.get('retry-after')).toBe('2')
  expect(body).toMatchObject({ code: 'store.schema-outdated' })
  expect(JSON.stringify(body)).not.toContain('relation')
  expect(door.broker.events).toEqual([])
})

test('no log line holds what a person wrote, who they are, or a token', async () => {
  await door.ask({ content: 'my private words', metadata: { note: 'my private note' } })
  await door.ask({ content: '', user_id: 'bob@example.com' })
  expect(door.lines.length).toBeGreaterThan(0)
  expect(door.lines.join('\n')).not.toMatch(/private|alice|bob|eyJ/)
})
