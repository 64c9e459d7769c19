import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { createFunction } from './index.ts'
import { atOnce, attachmentLimit, openTestDoor, type TestDoor } from './test-door.ts'

/** Files by way of the door, in an object store that verifies who puts them there. */
let door: TestDoor
beforeAll(async () => {
  door = await openTestDoor()
})
afterAll(() => door.close())
afterEach(() => door.calm())

interface Taken {
  id: string
  name: string
  media_type: string
  bytes: number
  sha256: string
  expires_at: string
  code: string
  detail: string
}

const route = '/api/v1/attachments'
const as = async (...args: Parameters<TestDoor['token']>) => ({ authorization: `Bearer ${await door.token(...args)}` })
const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(100_000, 7)])

async function send(
  file: string | Uint8Array,
  headers: Record<string, string> = {},
  query = '',
): Promise<{ status: number; headers: Headers; body: Taken }> {
  const bytes = typeof file === 'string' ? Buffer.from(file) : file
  const response = await door.post(`${route}${query}`, bytes, { 'content-type': 'text/plain', ...headers })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Taken }
}

const fetchFile = (id: string, headers: Record<string, string> = {}) => door.get(`${route}/${id}`, headers)
const rowsOf = (id: string) => door.store.database`select * from attachments where id = ${id}`

test('a file is kept under its id and comes back as it was, to be saved and not to be shown', async () => {
  const { status, headers, body } = await send(png, {
    'content-type': 'image/png',
    'content-disposition': `attachment; filename="../../ü.png"`.replace('ü', '\u00c3\u00bc'),
  })
  expect(status).toBe(201)
  expect(headers.get('location')).toBe(`${route}/${body.id}`)
  expect(body).toEqual({
    id: expect.any(String),
    name: 'ü.png',
    media_type: 'image/png',
    bytes: png.length,
    sha256: createHash('sha256').update(png).digest('hex'),
    expires_at: expect.any(String),
  })
  expect(Date.parse(body.expires_at) - Date.now()).toBeGreaterThan(29.9 * 86_400_000)
  expect(door.s3.keys()).toContain(`default/${body.id}`)
  expect(door.s3.keys().join()).not.toContain('png')
  const response = await fetchFile(body.id)
  expect(response.status).toBe(200)
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'image/png',
    'content-length': String(png.length),
    'content-disposition': `attachment; filename="_.png"; filename*=UTF-8''%C3%BC.png`,
    'x-content-type-options': 'nosniff',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
    'cache-control': 'no-store',
  })
  expect(Buffer.from(await response.arrayBuffer()).equals(png)).toBe(true)
  const [row] = await rowsOf(body.id)
  expect(row).toMatchObject({ identity: 'email:alice@example.com', caller: 'alice@example.com', request: null })
})

test('HEAD tells of a file without fetching it', async () => {
  const { body } = await send('words')
  const before = door.s3.requests.length
  const response = await fetch(`${door.url}${route}/${body.id}`, {
    method: 'HEAD',
    headers: await as('alice@example.com'),
  })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-length')).toBe('5')
  expect(door.s3.requests.slice(before)).toEqual([])
})

test('what has no name is a file; a name by query is cleaned as well', async () => {
  expect((await send('words')).body.name).toBe('file')
  expect((await send('words', {}, `?name=${encodeURIComponent('a/b\\c\u202etxt.exe\n')}`)).body.name).toBe('ctxt.exe')
})

test('a file at the limit is taken, one byte more is refused with the limit, and before it is read', async () => {
  expect(await send(Buffer.alloc(attachmentLimit, 'a'))).toMatchObject({
    status: 201,
    body: { bytes: attachmentLimit },
  })
  const before = door.s3.requests.length
  const { status, body } = await send(Buffer.alloc(attachmentLimit + 1, 'a'))
  expect({ status, code: body.code }).toEqual({ status: 413, code: 'attachment.too-large' })
  expect(body.detail).toContain(`the limit is ${attachmentLimit}`)
  expect(door.s3.requests.slice(before)).toEqual([])
})

test('a message that is too long is refused with the limit', async () => {
  const { status, body } = await door.ask({ content: 'a'.repeat(16_385) })
  expect(status).toBe(413)
  expect(body.detail).toBe('content has 16385 bytes, the limit is 16384')
})

test('a file without its length is refused with the limit', async () => {
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('words'))
      controller.close()
    },
  })
  const headers = { 'content-type': 'text/plain', ...(await as('alice@example.com')) }
  const init = { method: 'POST', headers, body: stream, duplex: 'half' as const }
  const response = await fetch(`${door.url}${route}`, init)
  expect(response.status).toBe(411)
  expect(await response.json()).toMatchObject({
    code: 'attachment.length-required',
    // What to do, in one sentence.
    detail: expect.stringMatching(new RegExp(`send the file again .*Content-Length.* ${attachmentLimit}$`)),
  })
})

test.each([
  ['a page', 'text/html', '<html>'],
  ['a drawing with scripts', 'image/svg+xml', '<svg>'],
  ['a program', 'application/octet-stream', 'MZ'],
  ['no type', '', 'words'],
  ['a picture that is none', 'image/png', '<html>'],
  ['a program that says it is text', 'text/plain', Buffer.from('7f454c4602010100', 'hex')],
  ['a PDF that says it is text', 'text/plain', '%PDF-1.7'],
  ['a text in another encoding', 'text/plain', Buffer.from('gr\u00fcn', 'latin1')],
])('%s is refused', async (_name, type, file) => {
  const { status, body } = await send(file, { 'content-type': type })
  expect({ status, code: body.code }).toEqual({ status: 415, code: 'attachment.type-refused' })
})

test('nothing, and what is compressed, is refused', async () => {
  expect(await send('')).toMatchObject({ status: 400, body: { code: 'request.malformed' } })
  expect(await send('words', { 'content-encoding': 'gzip' })).toMatchObject({ status: 415 })
})

test("a person sends their own; a program sends a person's with the scope, and only the person gets it back", async () => {
  expect(await send('words', {}, '?user_id=bob@example.com')).toMatchObject({
    status: 403,
    body: { code: 'identity.forbidden' },
  })
  expect(await send('words', {}, '?user_id=bob')).toMatchObject({ status: 400 })
  expect(await send('words', await as(null, { service: 'hr' }))).toMatchObject({ status: 400 })
  const scopes = ['requests:act-for-others']
  const program = await as(null, { service: 'hr', scopes })
  const { status, body } = await send('words', program, '?user_id=bob@example.com')
  expect(status).toBe(201)
  expect((await fetchFile(body.id, await as('bob@example.com'))).status).toBe(200)
  const missing = await (await fetchFile('00000000-0000-7000-8000-000000000000')).text()
  for (const other of [{}, program, await as('carol@example.com', { scopes: [...scopes, 'conversations:read'] })]) {
    const response = await fetchFile(body.id, other)
    expect(response.status).toBe(404)
    expect(await response.text()).toBe(missing)
  }
})

test('a message names its files, its event does not, and the conversation shows them', async () => {
  const first = (await send('one', { 'content-disposition': 'attachment; filename=one.txt' })).body
  const second = (await send(png, { 'content-type': 'image/png' }, '?name=two.png')).body
  const attachments = [first.id, second.id.toUpperCase(), first.id]
  const { status, body } = await door.ask({ content: 'see the files', attachments })
  expect(status).toBe(202)
  const row = await door.rowOf(body.request_id)
  expect(row['context']).toEqual({})
  expect(door.broker.events).toMatchObject([{ data: { request_id: body.request_id } }])
  expect(JSON.stringify(door.broker.events)).not.toContain(first.id)
  const session = await door.answer(body.request_id, 'I see.')
  const conversation = await (await door.get(`/api/v1/conversations/${session}`)).json()
  const { sha256: _one, ...one } = first
  const { sha256: _two, ...two } = second
  expect(conversation).toMatchObject({
    messages: [
      { role: 'employee', attachments: [one, two] },
      { role: 'agent', attachments: [] },
    ],
  })
})

test('a repetition of a message is the same message, with its files', async () => {
  const { body: file } = await send('words')
  const headers = { ...atOnce, 'idempotency-key': 'with-a-file' }
  const first = await door.ask({ content: 'see the file', attachments: [file.id] }, headers)
  const second = await door.ask({ content: 'see the file', attachments: [file.id] }, headers)
  expect([first.status, second.status]).toEqual([202, 202])
  expect(second.body.request_id).toBe(first.body.request_id)
})

test('files that are not there for a message are refused, and so is the message', async () => {
  const used = (await send('words')).body.id
  await door.ask({ content: 'the first', attachments: [used] })
  const bobs = (await send('words', await as('bob@example.com'))).body.id
  const over = (await send('words')).body.id
  await door.store.database`update attachments set expires_at = now() where id = ${over}`
  const broken = (await send('words')).body.id
  await door.store.database`update attachments set stored_at = null, sha256 = null where id = ${broken}`
  const good = (await send('words')).body.id
  door.broker.events.length = 0
  for (const bad of [used, bobs, over, broken, '00000000-0000-7000-8000-000000000000']) {
    const { status, body } = await door.ask({ content: 'not to be kept', attachments: [good, bad] })
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'attachment.unusable' })
  }
  expect(await door.store.database`select 1 from requests where content = 'not to be kept'`).toEqual([])
  expect(door.broker.events).toEqual([])
  expect((await door.ask({ content: 'the second', attachments: [good] })).status).toBe(202)
})

test('at most ten, and ids only', async () => {
  const ids = Array.from({ length: 11 }, (_, n) => `00000000-0000-7000-8000-0000000000${10 + n}`)
  expect(await door.ask({ content: 'x', attachments: ids })).toMatchObject({
    status: 400,
    body: { detail: 'attachments: more than 10' },
  })
  for (const attachments of [['x'], 'x', [1], [{ id: ids[0] }]]) {
    expect(await door.ask({ content: 'x', attachments })).toMatchObject({ status: 400 })
  }
})

test('of two messages that name one file at once, one has it', async () => {
  const { body: file } = await send('words')
  const asked = [1, 2, 3, 4].map((n) => door.ask({ content: `message ${n}`, attachments: [file.id] }))
  expect((await Promise.all(asked)).map(({ status }) => status).sort()).toEqual([202, 422, 422, 422])
})

test('a file whose time is over, or whose object is gone, is said to be gone', async () => {
  const { body: over } = await send('words')
  await door.store.database`update attachments set expires_at = now() where id = ${over.id}`
  const { body: lost } = await send('words')
  await door.store.database`update attachments set object = 'default/elsewhere' where id = ${lost.id}`
  const { body: other } = await send('words')
  const { body: longer } = await send('more words')
  await door.store.database`update attachments set object = ${`default/${longer.id}`} where id = ${other.id}`
  for (const { id } of [over, lost, other]) {
    const response = await fetchFile(id)
    expect(response.status).toBe(410)
    expect(await response.json()).toMatchObject({
      code: 'attachment.missing',
      title: expect.stringMatching(/not kept/),
    })
  }
})

test('an object store that is busy is 503 both ways, and a file that was not taken goes by itself', async () => {
  const { body } = await send('words')
  door.s3.slowDown(true)
  const refused = await send('words', {}, '?name=busy')
  expect(refused).toMatchObject({ status: 503, body: { code: 'attachment.store-unavailable' } })
  expect(refused.headers.get('retry-after')).toBe('2')
  expect(await (await fetchFile(body.id)).json()).toMatchObject({ status: 503, code: 'attachment.store-unavailable' })
  door.s3.slowDown(false)
  const left = await door.store.database`select expires_at <= now() as over from attachments where name = 'busy'`
  expect(left).toEqual([{ over: true }])
  expect((await fetchFile(body.id)).status).toBe(200)
})

test('an object store that breaks off ends the answer early, and nothing else', async () => {
  const { body } = await send(png, { 'content-type': 'image/png' })
  door.s3.cutShort(true)
  await expect(fetchFile(body.id).then((response) => response.arrayBuffer())).rejects.toThrow()
  door.s3.cutShort(false)
  expect((await (await fetchFile(body.id)).arrayBuffer()).byteLength).toBe(png.length)
})

test('who leaves in the middle of an answer disturbs nobody', async () => {
  const { body } = await send(Buffer.alloc(attachmentLimit, 'a'))
  for (let times = 0; times < 5; times += 1) {
    const response = await fetchFile(body.id)
    const reader = response.body?.getReader()
    await reader?.read()
    await reader?.cancel()
  }
  expect((await (await fetchFile(body.id)).arrayBuffer()).byteLength).toBe(attachmentLimit)
})

test('who leaves in the middle of a file leaves nothing behind', async () => {
  const stored = door.s3.keys()
  const begun = async () => await door.store.database`select 1 from attachments where name = 'half'`
  const headers = {
    'content-type': 'text/plain',
    'content-length': '100000',
    ...(await as('alice@example.com')),
  }
  const request = httpRequest(`${door.url}${route}?name=half`, { method: 'POST', headers })
  const closed = new Promise((resolve) => request.once('error', () => {}).once('close', resolve))
  request.write('a'.repeat(50_000))
  await vi.waitFor(async () => expect(await begun()).toHaveLength(1), { interval: 10 })
  request.destroy()
  await closed
  const over = async () =>
    await door.store
      .database`select 1 from attachments where name = 'half' and stored_at is null and expires_at <= now()`
  await vi.waitFor(async () => expect(await over()).toHaveLength(1), { interval: 10 })
  expect(door.s3.keys()).toEqual(stored)
})

test('a file whose person is deleted meanwhile is deleted, too', async () => {
  const stored = door.s3.keys()
  const headers = { 'content-type': 'text/plain', 'content-length': '1000', ...(await as('alice@example.com')) }
  const request = httpRequest(`${door.url}${route}?name=erased`, { method: 'POST', headers })
  const answered = once(request, 'response')
  request.write('a'.repeat(600))
  const deleted = async () => await door.store.database`delete from attachments where name = 'erased' returning 1`
  await vi.waitFor(async () => expect(await deleted()).toHaveLength(1), { interval: 10 })
  request.end('a'.repeat(400))
  const [response] = await answered
  response.resume()
  expect(response.statusCode).toBe(404)
  expect(door.s3.keys()).toEqual(stored)
})

test('without a bucket the two routes say so, and nothing else changes', async () => {
  const hosted = createFunction({
    DATABASE_URL: door.store.url,
    K_SINK: door.broker.url,
    OIDC_ISSUER: door.issuer,
    OIDC_AUDIENCE: 'self-service-agent',
    OIDC_JWKS_URL: `${door.issuer}/.well-known/jwks.json`,
  })
  const ask = async (method: string, path: string, body?: string) =>
    await hosted.fetch(
      new Request(`http://door${path}`, {
        method,
        headers: { ...(await as('alice@example.com')), ...atOnce, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body }),
      }),
    )
  for (const response of [await ask('POST', route, 'x'), await ask('GET', `${route}/${crypto.randomUUID()}`)]) {
    expect(response.status).toBe(501)
    expect(await response.json()).toMatchObject({ code: 'attachment.not-configured' })
  }
  expect((await ask('POST', '/api/v1/requests', '{"content":"x"}')).status).toBe(202)
  await hosted.shutdown?.()
})

test('with wrong credentials it is 503 to the caller, and the reason is in the log', async () => {
  const lines: string[] = []
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((line) => Boolean(lines.push(String(line))))
  const hosted = createFunction({
    DATABASE_URL: door.store.url,
    K_SINK: door.broker.url,
    OIDC_ISSUER: door.issuer,
    OIDC_AUDIENCE: 'self-service-agent',
    OIDC_JWKS_URL: `${door.issuer}/.well-known/jwks.json`,
    S3_ENDPOINT: door.s3.url,
    S3_BUCKET: 'attachments',
    S3_ACCESS_KEY_ID: 'test',
    S3_SECRET_ACCESS_KEY: 'another-secret',
  })
  try {
    const headers = { ...(await as('alice@example.com')), 'content-type': 'text/plain', 'content-length': '5' }
    const response = await hosted.fetch(new Request(`http://door${route}`, { method: 'POST', headers, body: 'words' }))
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ code: 'attachment.store-misconfigured' })
  } finally {
    write.mockRestore()
    await hosted.shutdown?.()
  }
  expect(lines.join('')).toContain('SignatureDoesNotMatch')
  expect(lines.join('')).not.toContain('another-secret')
})
