import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { afterEach, expect, test } from 'vitest'
import * as z from 'zod'
import { Fault } from '../errors/fault.ts'
import { callTool, type ToolCall } from './call-tool.ts'

const open: { close(): void }[] = []
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})

type Listening = Pick<Server, 'listen' | 'address' | 'close' | 'closeAllConnections'>

async function listen(server: Listening): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push({
    close() {
      server.close()
      server.closeAllConnections()
    },
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port')
  return `http://127.0.0.1:${address.port}/mcp`
}

const bare = (answer: (request: IncomingMessage, response: ServerResponse) => void) => listen(createServer(answer))

/** A real MCP server whose tool `work` does what the test says. */
async function serve(work: (headers: Headers) => Promise<Record<string, unknown>> | Record<string, unknown>) {
  const seen: string[] = []
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'other', version: '1' })
    server.registerTool('work', { inputSchema: z.object({ a: z.string().optional() }) }, async (_given, context) => {
      const value = await work(context.http?.req?.headers ?? new Headers())
      return { content: [{ type: 'text' as const, text: JSON.stringify(value) }], structuredContent: value }
    })
    server.registerTool('fail', { inputSchema: z.object({ text: z.string() }) }, ({ text }) => ({
      content: [{ type: 'text' as const, text }],
      isError: true,
    }))
    return server
  })
  const server = createAdaptorServer({
    fetch: (request) => {
      seen.push(`${request.method} ${new URL(request.url).pathname}`)
      return handler.fetch(request)
    },
  })
  return { url: await listen(server as Server), seen }
}

const call = (url: string, change: Partial<ToolCall> = {}) =>
  callTool({
    server: { name: 'other', url },
    tool: 'work',
    arguments: {},
    token: 'a.b.c',
    timeoutMs: 2_000,
    ...change,
  })

test('a call is one POST, with the token, the trace and the older identity header', async () => {
  const { url, seen } = await serve((headers) => Object.fromEntries(headers))
  const outcome = await call(url, { authoritativeUserId: 'alice@company.com', traceparent: '00-a-b-01' })
  expect(outcome).toMatchObject({
    ok: true,
    value: { authorization: 'Bearer a.b.c', authoritative_user_id: 'alice@company.com', traceparent: '00-a-b-01' },
  })
  expect(seen).toEqual(['POST /mcp'])
})

test('a server of unknown age is asked first', async () => {
  const { url, seen } = await serve(() => ({ a: 1 }))
  const server = { name: 'other', url, protocol: 'negotiate' as const }
  expect(await call(url, { server })).toEqual({ ok: true, value: { a: 1 } })
  expect(seen).toEqual(['POST /mcp', 'POST /mcp'])
})

test('unseen characters are taken out of the answer', async () => {
  const { url } = await serve(() => ({ name: 'Ali\u200bce\u202e', lines: ['a\u0000b'] }))
  expect(await call(url)).toEqual({ ok: true, value: { name: 'Alice', lines: ['ab'] } })
})

test('an answer that departs from its pinned schema is not used', async () => {
  const { url } = await serve(() => ({ name: 1 }))
  const outputSchema = { type: 'object', properties: { name: { type: 'string' } } }
  await expect(call(url, { outputSchema })).rejects.toMatchObject({
    code: 'tool.answer-invalid',
    message: 'other.work: /name: not string',
  })
})

test.each([
  ['{"code":"employee.unknown","message":"Who?"}', 'employee.unknown', 'Who?'],
  ['{"code":"approval.expired","message":"Too\\u200b late"}', 'approval.expired', 'Too late'],
  ['{"code":"store.unavailable","message":"Down"}', 'store.unavailable', 'Down'],
  ['Something went wrong', 'tool.refused', 'Something went wrong'],
  ['{"code":1}', 'tool.refused', '{"code":1}'],
])('the failure %s is a definite one', async (text, code, message) => {
  const { url } = await serve(() => ({}))
  expect(await call(url, { tool: 'fail', arguments: { text } })).toEqual({ ok: false, code, message })
})

test.each([
  ['tool.in-progress', 'retryable'],
  ['tool.unavailable', 'retryable'],
  ['tool.outcome-unknown', 'ambiguous'],
])('the failure %s is thrown: %s', async (code, kind) => {
  const { url } = await serve(() => ({}))
  const text = JSON.stringify({ code, message: 'x', retry_after: 4 })
  const failure = call(url, { tool: 'fail', arguments: { text } })
  await expect(failure).rejects.toMatchObject({ code, class: kind, retryAfter: 4 })
})

test('a tool that the server does not have, and arguments that do not fit, are definite refusals', async () => {
  const { url } = await serve(() => ({}))
  expect(await call(url, { tool: 'nothing' })).toMatchObject({ ok: false, code: 'tool.refused' })
  expect(await call(url, { arguments: { a: 1 } })).toMatchObject({ ok: false, code: 'tool.refused' })
})

test('an answer that is too large is cut off, whatever its headers say', async () => {
  const { url } = await serve(() => ({ filler: 'x'.repeat(70_000) }))
  await expect(call(url)).rejects.toMatchObject({ code: 'tool.answer-too-large' })
  expect(await call(url, { maxBytes: 200_000 })).toMatchObject({ ok: true })
  let stopped = false
  const endless = await bare((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const write = () => void response.write('x'.repeat(10_000), () => (stopped ? undefined : setImmediate(write)))
    response.once('close', () => {
      stopped = true
    })
    write()
  })
  await expect(call(endless)).rejects.toMatchObject({ code: 'tool.answer-too-large' })
})

test('silence is a time-out, and the connection is closed', async () => {
  let closed: (() => void) | undefined
  const end = new Promise<void>((resolve) => {
    closed = resolve
  })
  const url = await bare((_request, response) => void response.once('close', () => closed?.()))
  await expect(call(url, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'tool.timeout' })
  await end
})

test('a caller that gives up gets its own reason back', async () => {
  const arrived = new AbortController()
  const url = await bare(() => arrived.abort(new Fault('stage.lease-lost', 'gone')))
  await expect(call(url, { signal: arrived.signal })).rejects.toMatchObject({ code: 'stage.lease-lost' })
  const early = AbortSignal.abort()
  await expect(call(url, { signal: early })).rejects.toMatchObject({ code: 'tool.timeout' })
})

test.each<[string, (response: ServerResponse) => void]>([
  ['401', (response) => response.writeHead(401).end()],
  ['500', (response) => response.writeHead(500).end('oops')],
  ['503', (response) => response.writeHead(503).end()],
  ['a reset', (response) => response.destroy()],
  ['a page', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
  ['broken JSON', (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"json')],
  ['a redirect', (response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()],
  [
    'an internal error',
    (response) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"jsonrpc":"2.0","id":0,"error":{"code":-32603,"message":"oops"}}'),
  ],
])('a server that answers with %s is not available', async (_what, answer) => {
  const url = await bare((request, response) => request.resume().once('end', () => answer(response)))
  await expect(call(url)).rejects.toMatchObject({ code: 'tool.unavailable' })
})

test('a server that is not there is not available', async () => {
  const url = await bare(() => {})
  for (const server of open.splice(0)) server.close()
  await expect(call(url)).rejects.toMatchObject({ code: 'tool.unavailable' })
})
