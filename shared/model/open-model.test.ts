import { once } from 'node:events'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { Fault } from '../errors/fault.ts'
import { misbehave } from './misbehaving-server.ts'
import type { DecideQuestion } from './model.ts'
import { type ModelOptions, openModel } from './open-model.ts'

const question: DecideQuestion = {
  message: 'the secret words of an employee',
  asked: null,
  labels: [
    { name: 'yes', means: 'agrees', examples: ['yes'] },
    { name: 'no', means: 'disagrees', examples: ['no'] },
  ],
}
const apiKey = 'key-that-must-not-show-5f21'
const running: (() => Promise<void>)[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((stop) => stop()))
})

async function serving(listener: RequestListener): Promise<string> {
  const { url, stop } = await misbehave(listener)
  running.push(stop)
  return url
}

function ask(url: string, options: Partial<ModelOptions> = {}, signal = new AbortController().signal) {
  return openModel({ url, model: 'm', apiKey, timeoutMs: 5_000, ...options }).decide(question, signal)
}

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const error: unknown = await promise.then(
    () => expect.fail('it did not fail'),
    (reason: unknown) => reason,
  )
  if (!Fault.is(error)) throw error
  expect(error.message).not.toContain(apiKey)
  expect(error.message).not.toContain('secret words')
  return error
}

function answer(status: number, body: unknown, headers: Record<string, string> = {}): RequestListener {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }
}

function completion(content: unknown, more: Record<string, unknown> = {}, finished = 'stop') {
  return {
    id: 'x',
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: finished }],
    ...more,
  }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return JSON.parse(text)
}

test.each([
  [503, 'model.overloaded'],
  [429, 'model.overloaded'],
  [500, 'model.unavailable'],
  [502, 'model.unavailable'],
  [504, 'model.timeout'],
  [408, 'model.timeout'],
  [400, 'model.misconfigured'],
  [401, 'model.misconfigured'],
  [403, 'model.misconfigured'],
  [404, 'model.misconfigured'],
  [307, 'model.misconfigured'],
])('HTTP %i is %s, after one attempt', async (status, code) => {
  let attempts = 0
  const url = await serving((request, response) => {
    attempts += 1
    answer(
      status,
      { error: { message: `about ${status}` } },
      status === 307 ? { location: 'http://127.0.0.1:9/v1' } : {},
    )(request, response)
  })
  const fault = await faultOf(ask(url))
  expect(fault.code).toBe(code)
  expect(attempts).toBe(1)
})

test('the server says after how many seconds to come again, as a number or a date', async () => {
  expect((await faultOf(ask(await serving(answer(503, {}, { 'retry-after': '7' }))))).retryAfter).toBe(7)
  const dated = { date: 'Tue, 01 Sep 2026 10:00:00 GMT', 'retry-after': 'Tue, 01 Sep 2026 10:00:30 GMT' }
  expect((await faultOf(ask(await serving(answer(429, {}, dated))))).retryAfter).toBe(30)
  expect((await faultOf(ask(await serving(answer(503, {}, { 'retry-after': 'soon' }))))).retryAfter).toBeUndefined()
})

test("a 400 carries the server's message, but not where it repeats the request or the key", async () => {
  const plain = await faultOf(ask(await serving(answer(400, { error: { message: 'maximum context length is 10' } }))))
  expect(plain.message).toContain('maximum context length is 10')
  const echo = await faultOf(
    ask(await serving(answer(400, { error: { message: "bad input: 'the secret words of an employee'" } }))),
  )
  expect(echo.message).toContain('withheld')
  const key = await faultOf(ask(await serving(answer(400, { error: { message: `bad key ${apiKey}` } }))))
  expect(key.message).toContain('withheld')
})

test('nobody at the address, and a name that does not resolve, are model.unavailable', async () => {
  const { url, stop } = await misbehave(() => {})
  await stop()
  const refused = await faultOf(ask(url))
  expect([refused.code, refused.message]).toEqual(['model.unavailable', expect.stringContaining('ECONNREFUSED')])
  expect((await faultOf(ask('http://no-such-host.invalid/v1'))).code).toBe('model.unavailable')
})

test('a connection that breaks off in the middle of the answer is model.unavailable', async () => {
  const url = await serving((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 500 })
    response.write('{"choices":[', () => response.socket?.resetAndDestroy())
  })
  expect((await faultOf(ask(url))).code).toBe('model.unavailable')
})

test('JSON that is cut off is model.unavailable, a page of HTML is model.misconfigured', async () => {
  const cut = await serving((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[{"mess')
  })
  expect((await faultOf(ask(cut))).code).toBe('model.unavailable')
  const page = await serving((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>welcome</html>')
  })
  expect((await faultOf(ask(page))).code).toBe('model.misconfigured')
})

test('a body without end is given up at 4 MiB', async () => {
  const url = await serving((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const pour = () => {
      while (!response.destroyed && response.write(' '.repeat(65_536)));
    }
    response.on('drain', pour)
    pour()
  })
  const fault = await faultOf(ask(url))
  expect([fault.code, fault.message]).toEqual(['model.misconfigured', expect.stringContaining('4 MiB')])
})

test('no headers in time, and a body that stops coming, are model.timeout', async () => {
  const silent = await serving(() => {})
  expect((await faultOf(ask(silent, { timeoutMs: 80 }))).code).toBe('model.timeout')
  const stalled = await serving((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write('{"choices":')
  })
  expect((await faultOf(ask(stalled, { timeoutMs: 80 }))).code).toBe('model.timeout')
})

test("an abort by our own signal gives the signal's Fault, else model.timeout, and closes the connection", async () => {
  const arrived = Promise.withResolvers<ServerResponse>()
  const url = await serving((_request, response) => arrived.resolve(response))
  const controller = new AbortController()
  const asked = faultOf(ask(url, {}, controller.signal))
  const closed = once(await arrived.promise, 'close')
  controller.abort(new Fault('stage.lease-lost', 'gone'))
  expect((await asked).code).toBe('stage.lease-lost')
  await closed
  expect((await faultOf(ask(url, {}, AbortSignal.abort()))).code).toBe('model.timeout')
})

test.each([
  ['empty content', completion('')],
  ['no content', completion(null)],
  ['no choice', { choices: [] }],
  ['cut off', completion('{"label":"yes"}', {}, 'length')],
  ['filtered', completion('{"label":"yes"}', {}, 'content_filter')],
  ['another label', completion('{"label":"maybe"}')],
])('an answer with %s has no value and is no fault', async (_name, body) => {
  const { value, usage } = await ask(await serving(answer(200, body)))
  expect(value).toBeNull()
  expect(usage.estimated).toBe(true)
})

test('usage is the server’s where it sends one, and called an estimate where it does not', async () => {
  const counted = await ask(
    await serving(answer(200, completion('{"label":"yes"}', { usage: { prompt_tokens: 91, completion_tokens: 6 } }))),
  )
  expect(counted).toMatchObject({ value: 'yes', raw: '{"label":"yes"}', usage: { inputTokens: 91, outputTokens: 6 } })
  expect(counted.usage.estimated).toBeUndefined()
  const guessed = await ask(await serving(answer(200, completion('{"label":"yes"}'))))
  expect(guessed.usage).toMatchObject({ outputTokens: 4, estimated: true })
})

test('what is sent: schema, temperature 0, seed, a limit, and a salt only where it is wanted', async () => {
  const bodies: Record<string, unknown>[] = []
  const url = await serving((request, response) => {
    void bodyOf(request).then((body) => {
      bodies.push({ ...body, authorization: request.headers.authorization })
      answer(200, completion('{"label":"no"}'))(request, response)
    })
  })
  const first = await ask(url, { cacheSalt: 'tenant-1' })
  const second = await ask(url, { cacheSalt: 'tenant-1', sendCacheSalt: true })
  expect(bodies[0]).toMatchObject({
    model: 'm',
    temperature: 0,
    seed: 7,
    max_tokens: expect.any(Number),
    response_format: {
      type: 'json_schema',
      json_schema: { name: 'decision', strict: true, schema: { properties: { label: { enum: ['yes', 'no'] } } } },
    },
    authorization: `Bearer ${apiKey}`,
  })
  expect(bodies.map((body) => body['cache_salt'])).toEqual([undefined, 'tenant-1'])
  expect(first.promptHash).toMatch(/^[0-9a-f]{64}$/)
  expect(first.promptHash).toBe(second.promptHash)
})

test('the answer kept for the journal has no character that Postgres refuses', async () => {
  const { raw } = await ask(await serving(answer(200, completion('a\u0000b\ud800'))))
  expect(raw).toBe('ab\ufffd')
})

test('options that cannot work are refused when the model is opened', () => {
  const codes = [
    { url: 'not a url' },
    { url: 'ftp://x/v1' },
    { cacheSalt: 'a@b', sendCacheSalt: true },
    { cacheSalt: '', sendCacheSalt: true },
  ].map((options) => {
    try {
      openModel({ url: 'http://x/v1', model: 'm', apiKey: '', ...options })
      return null
    } catch (error) {
      return Fault.is(error) ? error.code : error
    }
  })
  expect(codes).toEqual(codes.map(() => 'model.misconfigured'))
})

test('an address without a path means its /v1', async () => {
  const paths: (string | undefined)[] = []
  const url = await serving((request, response) => {
    paths.push(request.url)
    answer(200, completion('{"label":"no"}'))(request, response)
  })
  await ask(new URL('/', url).href)
  await ask(`${url}/`)
  expect(paths).toEqual(['/v1/chat/completions', '/v1/chat/completions'])
})
