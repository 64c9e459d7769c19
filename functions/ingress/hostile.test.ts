import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { atOnce, openTestDoor, type TestDoor } from './test-door.ts'

let door: TestDoor
beforeAll(async () => {
  door = await openTestDoor()
})
afterAll(() => door.close())
afterEach(() => door.calm())

test.each([
  ["'; drop table requests; --"],
  ['{{ constructor.constructor("return process")() }} <%= 7*7 %> {% raw %}'],
  ['<script>alert(1)</script><img src=x onerror=alert(1)>'],
  ['👩‍👩‍👧‍👦 🏳️‍🌈 é (combining)'],
  ['\u202eشكرا\u202c שלום'],
  ['a\u200bb\u200dc\ufeffd'],
  ['line\r\nline\ttab \\u0041 \\'],
  ['%s %n %x %00'],
  ['COPY requests FROM PROGRAM \u0001\u001b[31m'],
])('%j is stored as it was written', async (content) => {
  const { status, body } = await door.ask({ content, metadata: { note: content } })
  expect(status).toBe(202)
  const row = await door.rowOf(body.request_id)
  expect(row.content).toBe(content)
  expect(row.metadata).toEqual({ note: content })
})

test('what Postgres cannot store is taken out', async () => {
  const text =
    '{"content": "a\\u0000b\\ud800c", "metadata": {"k\\u0000": "\\u0000\\udc00"}, "request_type": "x\\u0000"}'
  const response = await door.post('/api/v1/requests', text, atOnce)
  expect(response.status).toBe(202)
  expect(await door.rowOf(((await response.json()) as { request_id: string }).request_id)).toMatchObject({
    content: 'ab\ufffdc',
    metadata: { k: '\ufffd' },
    request_type: 'x',
  })
})

test.each([
  ['nothing at all', ''],
  ['no JSON', '{"content": '],
  ['JSON of another kind', '["content"]'],
  ['a text', '"content"'],
  ['null', 'null'],
  ['no content', '{}'],
  ['empty content', '{"content": ""}'],
  ['blank content', '{"content": " \\n\\t\\u200b\\ufeff\\u202e"}'],
  ['only NUL', '{"content": "\\u0000"}'],
  ['content of another kind', '{"content": {"a": 1}}'],
  ['content null', '{"content": null}'],
  ['user_id that is no address', '{"content": "x", "user_id": "bob"}'],
  ['user_id of another kind', '{"content": "x", "user_id": ["alice@example.com"]}'],
  ['a long request_type', JSON.stringify({ content: 'x', request_type: 'x'.repeat(101) })],
  ['metadata of another kind', '{"content": "x", "metadata": []}'],
  ['an unknown channel', '{"content": "x", "integration_type": "SLACK"}'],
  ['a channel of another kind', '{"content": "x", "integration_type": 1}'],
  ['too deep', `{"content": "x", "metadata": {"a": ${'['.repeat(5_000)}${']'.repeat(5_000)}}}`],
])('%s is malformed', async (_name, text) => {
  const response = await door.post('/api/v1/requests', text, atOnce)
  expect(response.status).toBe(400)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(await response.json()).toMatchObject({
    type: 'urn:self-service-agent:problem:request.malformed',
    title: expect.any(String),
    status: 400,
    detail: expect.any(String),
    code: 'request.malformed',
  })
})

test.each([
  ['{}', 'content: the message is missing'],
  ['{"content": ""}', 'content: the message is empty'],
  ['{"content": 3}', 'content: the message is not a text'],
  ['{"content": null}', 'content: the message is not a text'],
  ['{"content": " "}', 'content: there is nothing to read in it'],
])('%s is told why', async (text, detail) => {
  const response = await door.post('/api/v1/requests', text, atOnce)
  expect(await response.json()).toMatchObject({ status: 400, code: 'request.malformed', detail })
})

test("a typed route takes its own type and its type's fields", async () => {
  expect(await door.ask({ content: 'x', integration_type: 'cli' }, atOnce, '/api/v1/requests/web')).toMatchObject({
    status: 400,
  })
  const long = { content: 'x', client_ip: '1'.repeat(46) }
  expect(await door.ask(long, atOnce, '/api/v1/requests/web')).toMatchObject({
    status: 400,
    body: { detail: expect.stringContaining('client_ip') },
  })
  const authorization = `Bearer ${await door.token('alice@example.com', { service: 'hr' })}`
  expect(await door.ask({ content: 'x' }, { ...atOnce, authorization }, '/api/v1/requests/tool')).toMatchObject({
    status: 400,
  })
})

test('a prototype cannot be reached', async () => {
  const response = await door.post(
    '/api/v1/requests',
    '{"content": "x", "__proto__": {"user_id": "bob@example.com"}, "metadata": {"__proto__": {"x": 1}}}',
    atOnce,
  )
  expect(response.status).toBe(202)
  expect(await door.rowOf(((await response.json()) as { request_id: string }).request_id)).toMatchObject({
    identity: 'email:alice@example.com',
  })
})

test.each([
  ['no type', undefined, '{"content":"x"}'],
  ['a form', 'application/x-www-form-urlencoded', 'content=x'],
  ['a text', 'text/plain', '{"content":"x"}'],
  ['a relative of JSON', 'application/cloudevents+json', '{"content":"x"}'],
  ['a list of types', 'application/json, text/plain', '{"content":"x"}'],
  ['another charset', 'application/json; charset=iso-8859-1', '{"content":"x"}'],
  ['bytes that are not UTF-8', 'application/json', Buffer.from('{"content":"\xe9"}', 'latin1')],
  ['UTF-16', 'application/json', Buffer.from('\ufeff{"content":"x"}', 'utf16le')],
  [
    'a surrogate in UTF-8',
    'application/json',
    Buffer.concat([Buffer.from('{"content":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
  ],
])('%s is not taken', async (_name, type, body) => {
  const authorization = `Bearer ${await door.token('alice@example.com')}`
  const response = await fetch(`${door.url}/api/v1/requests`, {
    method: 'POST',
    headers: { authorization, ...atOnce, ...(type === undefined ? {} : { 'content-type': type }) },
    body: Buffer.from(body),
  })
  expect(response.status).toBe(415)
  expect(await response.json()).toMatchObject({ code: 'request.unsupported-media' })
})

test('JSON in UTF-8 may say so, in any case', async () => {
  for (const type of [
    'application/json;charset=utf-8',
    'Application/JSON; Charset="UTF-8"',
    'application/json; version=1',
  ]) {
    expect(await door.ask({ content: 'x' }, { ...atOnce, 'content-type': type })).toMatchObject({ status: 202 })
  }
  expect(await door.ask({ content: 'x' }, { ...atOnce, 'content-encoding': 'gzip' })).toMatchObject({ status: 415 })
})

test('16 KiB of text are taken, in any spelling, and not one byte more', async () => {
  const escaped = `{"content": "${'\\u0061'.repeat(16_384)}"}`
  expect((await door.post('/api/v1/requests', escaped, atOnce)).status).toBe(202)
  expect(await door.ask({ content: '😀'.repeat(4_096) })).toMatchObject({ status: 202 })
  for (const content of ['a'.repeat(16_385), '😀'.repeat(4_097)]) {
    expect(await door.ask({ content })).toMatchObject({ status: 413, body: { code: 'request.too-large' } })
  }
  expect(await door.ask({ content: 'x', metadata: { x: 'a'.repeat(40_000) } })).toMatchObject({ status: 413 })
  expect(await door.ask({ content: 'x'.repeat(1_000_000) })).toMatchObject({ status: 413 })
})

test('an endless body is cut off before it ends', async () => {
  const authorization = `Bearer ${await door.token('alice@example.com')}`
  const call = httpRequest(`${door.url}/api/v1/requests`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
  })
  call.on('error', () => {})
  let sent = 0
  const feed = setInterval(() => {
    call.write('x'.repeat(10_000))
    sent += 10_000
  }, 1)
  const [response] = await once(call, 'response')
  clearInterval(feed)
  call.destroy()
  expect(response.statusCode).toBe(413)
  expect(sent).toBeLessThan(5_000_000)
})
