import { OpenAI } from 'openai'
import { afterEach, expect, test } from 'vitest'
import { type ModelServer, startModelServer } from './server.ts'
import { defaults, type Settings } from './settings.ts'

const running: ModelServer[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()))
})

async function serving(settings: Partial<Omit<Settings, 'timing'>> = {}, timing: Partial<Settings['timing']> = {}) {
  const server = await startModelServer({
    settings: { ...defaults, ...settings, timing: { ...defaults.timing, ...timing } },
    host: '127.0.0.1',
    port: 0,
    now: Date.now,
  })
  running.push(server)
  return server
}

const schema = {
  type: 'object',
  properties: { colour: { type: 'string', enum: ['red', 'blue', 'none'] } },
  required: ['colour'],
  additionalProperties: false,
}
const system =
  'Pick.\n- red: warm colours. e.g. "like a tomato"\n- blue: cool colours. e.g. "like the sea"\n- none: none of these fits'
const basic = {
  model: defaults.model,
  messages: [
    { role: 'system', content: system },
    { role: 'user', content: '<message>it is like the sea</message>' },
  ],
  response_format: { type: 'json_schema', json_schema: { name: 'c', strict: true, schema } },
}

async function post(
  server: ModelServer,
  body: object,
  headers: Record<string, string> = {},
  path = '/v1/chat/completions',
  signal?: AbortSignal,
) {
  const response = await fetch(new URL(path, server.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  })
  const text = await response.text()
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text }
}

async function metric(server: ModelServer, name: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', server.url))).text()
  const line = text.split('\n').find((one) => one.startsWith(`${name}{`))
  return Number(line?.split(' ').at(-1))
}

/** Asks again until the server's metric is as said; the test's own time limit ends it. */
async function until(server: ModelServer, name: string, value: number): Promise<void> {
  while ((await metric(server, name)) !== value) await new Promise((resolve) => setImmediate(resolve))
}

const events = (text: string) =>
  text
    .split('\n\n')
    .filter(Boolean)
    .map((line) => line.replace(/^data: /, ''))

test('an answer has the form of the schema, a reason and the tokens; nothing depends on chance', async () => {
  const server = await serving()
  const { status, body } = await post(server, { ...basic, user: 'ignored', guided_choice: ['ignored'], top_p: 0.1 })
  expect(status).toBe(200)
  expect(body).toMatchObject({
    object: 'chat.completion',
    model: 'local-lexical',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: '{"colour":"blue"}' } }],
  })
  expect(body.usage.total_tokens).toBe(body.usage.prompt_tokens + body.usage.completion_tokens)
  const again = await post(server, basic)
  expect(again.body.choices).toEqual(body.choices)
})

test('the model says that it is no language model', async () => {
  const server = await serving()
  const models = await (await fetch(new URL('/v1/models', server.url))).json()
  expect(models).toMatchObject({
    object: 'list',
    data: [{ id: 'local-lexical', owned_by: expect.stringContaining('not a language model') }],
  })
  const version = await (await fetch(new URL('/version', server.url))).json()
  expect(version).toMatchObject({ version: 'local-lexical/1' })
  expect((await fetch(new URL('/health', server.url))).status).toBe(200)
})

const weather = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'weather of a city',
    parameters: {
      type: 'object',
      properties: { days: { type: 'integer', description: 'number of days' } },
      required: ['days'],
    },
  },
}

test.each<[string, object, number, string]>([
  ['an unknown model', { model: 'gpt-4' }, 404, 'does not exist'],
  ['no messages', { messages: [] }, 400, 'messages'],
  ['messages that are none', { messages: 'hello' }, 400, 'messages'],
  ['priority without the policy', { priority: 3 }, 400, 'not enabled'],
  ['an empty cache_salt', { cache_salt: '' }, 400, 'cache_salt'],
  ['a cache_salt with a slash', { cache_salt: 'a/b' }, 400, 'cache_salt'],
  ['a long cache_salt', { cache_salt: 'a'.repeat(129) }, 400, 'cache_salt'],
  [
    'a named tool that is not among the tools',
    { tools: [weather], tool_choice: { type: 'function', function: { name: 'news' } } },
    400,
    'does not match',
  ],
  ['tools with auto and no parser', { tools: [weather] }, 400, '--enable-auto-tool-choice'],
  ['a tool choice without tools', { tool_choice: 'required' }, 400, '`tools` must be set'],
  [
    'too long a prompt',
    { messages: [{ role: 'user', content: 'word '.repeat(20_000) }] },
    400,
    'maximum context length',
  ],
  ['more tokens than the context', { max_tokens: 20_000 }, 400, 'maximum context length'],
  ['max_tokens 0', { max_tokens: 0 }, 400, 'max_tokens'],
  ['two structured outputs', { structured_outputs: { choice: ['a'], json: {} } }, 400, 'only use one kind'],
  ['stream options without a stream', { stream_options: { include_usage: true } }, 400, 'stream'],
  ['n of 0', { n: 0 }, 400, 'n must be'],
])('%s is refused as vLLM does', async (_name, change, status, words) => {
  const { status: got, body } = await post(await serving(), { ...basic, ...change })
  expect(got).toBe(status)
  expect(body.error).toMatchObject({ code: status, type: status === 404 ? 'NotFoundError' : 'BadRequestError' })
  expect(body.error.message).toContain(words)
})

test('a body that is no JSON is 400, an unknown path 404, a wrong key 401', async () => {
  const server = await serving({ apiKey: 'k' })
  const headers = { authorization: 'Bearer k' }
  const broken = await fetch(`${server.url}/chat/completions`, { method: 'POST', body: '{', headers })
  expect(broken.status).toBe(400)
  expect((await post(server, basic, headers, '/v1/nothing')).status).toBe(404)
  expect((await post(server, basic)).status).toBe(401)
  expect((await post(server, basic, headers)).status).toBe(200)
})

test('structured_outputs.choice and .json are honoured', async () => {
  const server = await serving()
  const { response_format: _none, ...plain } = basic
  const choice = await post(server, { ...plain, structured_outputs: { choice: ['red', 'blue'] } })
  expect(choice.body.choices[0].message.content).toBe('blue')
  const json = await post(server, { ...plain, structured_outputs: { json: schema } })
  expect(json.body.choices[0].message.content).toBe('{"colour":"blue"}')
})

test('max_tokens cuts JSON in the middle, stop cuts and ends with stop, n gives n answers', async () => {
  const server = await serving()
  const cut = await post(server, { ...basic, max_tokens: 2 })
  expect(cut.body.choices[0].finish_reason).toBe('length')
  expect(() => JSON.parse(cut.body.choices[0].message.content)).toThrow()
  expect(cut.body.usage.completion_tokens).toBe(2)
  const stopped = await post(server, { ...basic, stop: ['blue', 'zzz'] })
  expect(stopped.body.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: '{"colour":"' } })
  const three = await post(server, { ...basic, n: 3 })
  expect(three.body.choices.map((choice: { index: number }) => choice.index)).toEqual([0, 1, 2])
})

test.each([
  ['named', { type: 'function', function: { name: 'weather' } }, 'stop'],
  ['required', 'required', 'tool_calls'],
  ['auto', 'auto', 'tool_calls'],
])('a %s tool call has arguments by its schema and ends with its own reason', async (_name, choice, reason) => {
  const server = await serving({ autoToolChoice: true })
  const request = {
    model: defaults.model,
    messages: [{ role: 'user', content: 'the weather of the next 3 days' }],
    tools: [weather],
    tool_choice: choice,
  }
  const { body } = await post(server, request)
  expect(body.choices[0]).toMatchObject({
    finish_reason: reason,
    message: { tool_calls: [{ type: 'function', function: { name: 'weather', arguments: '{"days":3}' } }] },
  })
  const { body: stream } = await post(server, { ...request, stream: true })
  const deltas = events(stream)
    .slice(0, -1)
    .map((event) => JSON.parse(event).choices[0])
  expect(deltas[0].delta).toEqual({ role: 'assistant', content: '' })
  expect(deltas[1].delta.tool_calls[0]).toMatchObject({
    index: 0,
    id: expect.any(String),
    type: 'function',
    function: { name: 'weather', arguments: '' },
  })
  for (const { delta } of deltas.slice(2, -1)) expect(Object.keys(delta.tool_calls[0])).toEqual(['index', 'function'])
  expect(
    deltas
      .slice(1, -1)
      .map(({ delta }) => delta.tool_calls[0].function.arguments)
      .join(''),
  ).toBe('{"days":3}')
  expect(deltas.at(-1)).toMatchObject({ delta: {}, finish_reason: reason })
})

test('auto calls no tool where none fits, and none never does', async () => {
  const server = await serving({ autoToolChoice: true })
  const messages = [{ role: 'user', content: 'peel the potatoes' }]
  for (const choice of ['auto', 'none']) {
    const { body } = await post(server, { model: defaults.model, messages, tools: [weather], tool_choice: choice })
    expect(body.choices[0]).toMatchObject({ finish_reason: 'stop', message: { tool_calls: [] } })
  }
})

test('a stream is role, pieces, reason, usage, [DONE]', async () => {
  const { body } = await post(await serving(), { ...basic, stream: true, stream_options: { include_usage: true } })
  const all = events(body)
  expect(all.at(-1)).toBe('[DONE]')
  const chunks = all.slice(0, -1).map((event) => JSON.parse(event))
  expect(chunks[0].choices[0].delta).toEqual({ role: 'assistant', content: '' })
  expect(chunks.at(-2).choices[0]).toMatchObject({ delta: {}, finish_reason: 'stop' })
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: chunks.length - 3 } })
  expect(
    chunks
      .slice(1, -2)
      .map((chunk) => chunk.choices[0].delta.content)
      .join(''),
  ).toBe('{"colour":"blue"}')
})

test('the same prefix is found in the cache in blocks of 16, but not under another salt', async () => {
  const server = await serving()
  const cached = async (change: object) =>
    (await post(server, { ...basic, ...change })).body.usage.prompt_tokens_details.cached_tokens
  expect(await cached({ cache_salt: 'a' })).toBe(0)
  const hit = await cached({ cache_salt: 'a' })
  expect(hit).toBeGreaterThan(0)
  expect(hit % 16).toBe(0)
  expect(await cached({ cache_salt: 'b' })).toBe(0)
  const [first] = basic.messages
  const other = await cached({
    cache_salt: 'a',
    messages: [first, { role: 'user', content: 'other words at the end' }],
  })
  expect(other).toBeGreaterThan(0)
  expect(other).toBeLessThanOrEqual(hit)
  expect(await cached({ cache_salt: 'a', messages: [{ role: 'system', content: `New. ${system}` }] })).toBe(0)
  expect(await metric(server, 'vllm:prefix_cache_hits_total')).toBe(hit + other)
})

test('requests past the slots wait in turn, those past the queue get 503, and a client that leaves frees its slot', async () => {
  const server = await serving({}, { maxNumSeqs: 1, maxNumQueuedReqs: 2 })
  const leaving = new AbortController()
  const hanging = post(server, basic, { 'x-fault': 'hang' }, undefined, leaving.signal).catch((error: unknown) => error)
  await until(server, 'vllm:num_requests_running', 1)
  const waiting = post(server, basic)
  await until(server, 'vllm:num_requests_waiting', 1)
  const refused = await post(server, basic)
  expect(refused).toMatchObject({ status: 503, body: { error: { code: 503 } } })
  leaving.abort()
  expect((await waiting).status).toBe(200)
  await hanging
  expect(await metric(server, 'vllm:num_requests_running')).toBe(0)
  await until(server, 'vllm:request_success_total', 1)
})

test('a client that leaves a stream frees its slot, and so does one that leaves the queue', async () => {
  const server = await serving({}, { maxNumSeqs: 1, interTokenMs: 60_000 })
  const leaving = new AbortController()
  const stream = await fetch(`${server.url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...basic, stream: true }),
    signal: leaving.signal,
  })
  await stream.body?.getReader().read()
  const queued = new AbortController()
  const second = post(server, basic, {}, undefined, queued.signal).catch(() => 'left')
  await until(server, 'vllm:num_requests_waiting', 1)
  queued.abort()
  await until(server, 'vllm:num_requests_waiting', 0)
  expect(await second).toBe('left')
  leaving.abort()
  await until(server, 'vllm:num_requests_running', 0)
})

test('time goes by the settings, which can be changed while it runs', async () => {
  const server = await serving()
  const config = await post(server, { ttftMs: 60, interTokenMs: 5 }, {}, '/admin/config')
  expect(config.body).toMatchObject({ ttftMs: 60, interTokenMs: 5, maxNumSeqs: 256 })
  const started = performance.now()
  const { body } = await post(server, basic)
  expect(performance.now() - started).toBeGreaterThanOrEqual(58 + 5 * (body.usage.completion_tokens - 1))
  expect((await post(server, { ttftMs: -1 }, {}, '/admin/config')).status).toBe(400)
  expect((await post(server, { typo: 1 }, {}, '/admin/config')).status).toBe(400)
})

test.each<
  [
    string,
    (answer: { status: number; body: { choices: { finish_reason: string; message: { content: string } }[] } }) => void,
  ]
>([
  ['overload503', (answer) => expect(answer.status).toBe(503)],
  ['loading', (answer) => expect(answer.status).toBe(503)],
  ['error500', (answer) => expect(answer.status).toBe(500)],
  ['empty', (answer) => expect(answer.body.choices[0]?.message.content).toBe('')],
  ['malformed-json', (answer) => expect(() => JSON.parse(answer.body.choices[0]?.message.content ?? '{}')).toThrow()],
  ['wrong-label', (answer) => expect(answer.body.choices[0]?.message.content).toBe('{"colour":"never-offered"}')],
  ['extra-argument', (answer) => expect(answer.body.choices[0]?.message.content).toContain('invented_argument')],
  ['truncated', (answer) => expect(answer.body.choices[0]?.finish_reason).toBe('length')],
])('the fault %s, by header and for the next two', async (kind, check) => {
  const server = await serving()
  check(await post(server, basic, { 'x-fault': kind }))
  const planned = await post(server, { next: 2, kind }, {}, '/admin/faults')
  expect(planned.body).toEqual({ kind, next: 2 })
  check(await post(server, basic))
  check(await post(server, basic))
  const { body } = await post(server, basic)
  expect(body.choices[0].message.content).toBe('{"colour":"blue"}')
})

test('faults for all last until they are taken back; while loading, health is 503 too', async () => {
  const server = await serving()
  await post(server, { next: 'all', kind: 'loading' }, {}, '/admin/faults')
  const statuses = async () => [
    (await post(server, basic)).status,
    (await fetch(new URL('/health', server.url))).status,
    (await fetch(`${server.url}/models`)).status,
  ]
  expect(await statuses()).toEqual([503, 503, 503])
  expect(await statuses()).toEqual([503, 503, 503])
  await post(server, { next: 0, kind: 'none' }, {}, '/admin/faults')
  expect(await statuses()).toEqual([200, 200, 200])
})

test('a reset breaks the connection, whole answer or stream, and the slot is free again', async () => {
  const server = await serving({}, { maxNumSeqs: 1 })
  await expect(post(server, basic, { 'x-fault': 'reset' })).rejects.toThrow()
  await expect(post(server, { ...basic, stream: true }, { 'x-fault': 'reset' })).rejects.toThrow()
  expect((await post(server, basic)).status).toBe(200)
})

test('an error in the middle of a stream comes inside the 200, before [DONE]', async () => {
  const server = await serving()
  const { status, body } = await post(server, { ...basic, stream: true }, { 'x-fault': 'stream-error' })
  expect(status).toBe(200)
  expect(events(body).slice(-2)).toEqual([expect.stringContaining('"error"'), '[DONE]'])
  const client = new OpenAI({
    baseURL: server.url,
    apiKey: 'x',
    maxRetries: 0,
    defaultHeaders: { 'x-fault': 'stream-error' },
  })
  const stream = await client.chat.completions.create({
    model: defaults.model,
    messages: [{ role: 'user', content: 'hi' }],
    stream: true,
  })
  await expect(
    (async () => {
      for await (const _chunk of stream);
    })(),
  ).rejects.toThrow('EngineCore')
})

test('a tool that does not exist can be called on demand', async () => {
  const request = {
    model: defaults.model,
    messages: [{ role: 'user', content: '2 days' }],
    tools: [weather],
    tool_choice: 'required',
  }
  const { body } = await post(await serving(), request, { 'x-fault': 'unknown-tool' })
  expect(body.choices[0].message.tool_calls[0].function.name).toBe('no_such_tool')
})

test('admin wants JSON by its name, which a web page cannot send here', async () => {
  const server = await serving()
  const response = await fetch(new URL('/admin/faults', server.url), {
    method: 'POST',
    body: '{"next":"all","kind":"hang"}',
  })
  expect(response.status).toBe(400)
  expect((await post(server, { next: 1, kind: 'no-such' }, {}, '/admin/faults')).status).toBe(400)
})

test('embeddings are of length 1, the same each time, near for like texts; base64 holds the same numbers', async () => {
  const client = new OpenAI({ baseURL: (await serving()).url, apiKey: 'x', maxRetries: 0 })
  const input = ['the bicycle has a broken chain', 'a chain broke on my bicycle', 'soup is served at noon']
  const float = await client.embeddings.create({ model: defaults.model, input, encoding_format: 'float' })
  const base64 = await client.embeddings.create({ model: defaults.model, input })
  const [a = [], b = [], c = []] = float.data.map((one) => one.embedding)
  const dot = (x: number[], y: number[]) => x.reduce((sum, value, index) => sum + value * (y[index] ?? 0), 0)
  expect(a).toHaveLength(defaults.embeddingDimensions)
  expect(dot(a, a)).toBeCloseTo(1, 6)
  expect(dot(a, b)).toBeGreaterThan(dot(a, c) + 0.3)
  for (const [index, value] of a.entries()) expect(base64.data[0]?.embedding[index]).toBeCloseTo(value, 6)
  expect(float.usage.prompt_tokens).toBeGreaterThan(10)
})

test('tokenize counts what a chat counts', async () => {
  const server = await serving()
  const tokenized = await post(server, { messages: basic.messages }, {}, '/tokenize')
  const { body } = await post(server, basic)
  expect(tokenized.body).toMatchObject({ count: body.usage.prompt_tokens, max_model_len: defaults.maxModelLength })
  expect(tokenized.body.tokens).toHaveLength(tokenized.body.count)
  expect((await post(server, { prompt: 'two words' }, {}, '/tokenize')).body.count).toBe(2)
})

test('metrics carry the names that vLLM gives them', async () => {
  const server = await serving()
  await post(server, basic)
  const text = await (await fetch(new URL('/metrics', server.url))).text()
  for (const name of [
    'vllm:num_requests_running',
    'vllm:num_requests_waiting',
    'vllm:kv_cache_usage_perc',
    'vllm:prompt_tokens_total',
    'vllm:generation_tokens_total',
    'vllm:request_success_total',
    'vllm:time_to_first_token_seconds_bucket',
    'vllm:e2e_request_latency_seconds_count',
  ]) {
    expect(text).toContain(`${name}{model_name="local-lexical",engine="0"`)
  }
  expect(await metric(server, 'vllm:e2e_request_latency_seconds_count')).toBe(1)
})
