import { randomUUID } from 'node:crypto'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { exportJWK, generateKeyPair } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readToolCatalogue } from '../../shared/tools/catalogue.ts'
import { mintToolToken } from '../../shared/tools/tool-token.ts'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { createFunction } from './index.ts'
import { listServiceNowTools } from './list-tools.ts'
import { type Doors, startDoors } from './testing/start-doors.ts'

let store: TestDatabase
let doors: Doors
let token: string

beforeAll(async () => {
  store = await createTestDatabase()
  doors = await startDoors(store.database)
  token = await mint()
})
afterAll(async () => {
  await doors.close()
  await store.drop()
})

function mint(change: Partial<Parameters<typeof mintToolToken>[0]> = {}): Promise<string> {
  return mintToolToken({
    person: 'sophie.dubois@company.com',
    audience: 'servicenow',
    key: doors.privateKey,
    now: doors.clock.now(),
    id: randomUUID(),
    ...change,
  })
}

async function withClient<T>(revision: 'legacy' | '2026-07-28', work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(
    { name: 'test', version: '1' },
    revision === 'legacy' ? {} : { versionNegotiation: { mode: { pin: revision } } },
  )
  const headers = { authorization: `Bearer ${token}` }
  await client.connect(new StreamableHTTPClientTransport(new URL(doors.urls[0] ?? ''), { requestInit: { headers } }))
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

test.each(['legacy', '2026-07-28'] as const)(
  'a client of the %s protocol lists and calls the tools',
  async (revision) => {
    const { version, tools, result } = await withClient(revision, async (client) => ({
      version: client.getNegotiatedProtocolVersion(),
      tools: (await client.listTools()).tools,
      result: await client.callTool({ name: 'get_employee_laptop_info', arguments: {} }),
    }))
    expect(version).toBe(revision === 'legacy' ? '2025-11-25' : '2026-07-28')
    expect(tools.map((tool) => [tool.name, tool.annotations?.readOnlyHint])).toEqual([
      ['get_employee_laptop_info', true],
      ['get_manager', true],
      ['list_open_requests', true],
      ['open_laptop_refresh_ticket', false],
      ['open_licence_request', false],
      ['open_help_request', false],
    ])
    expect(result.structuredContent).toMatchObject({ name: 'Sophie Dubois', laptop: { model: 'Surface Laptop 4' } })
    expect(result.content).toEqual([{ type: 'text', text: JSON.stringify(result.structuredContent) }])
  },
)

test('a failure is an MCP error with a stable code in its text, in both protocols', async () => {
  for (const revision of ['legacy', '2026-07-28'] as const) {
    const result = await withClient(revision, (client) =>
      client.callTool({ name: 'open_help_request', arguments: { summary: 'Help' } }),
    )
    expect(result.isError).toBe(true)
    expect(result.content).toEqual([
      {
        type: 'text',
        text: '{"code":"tool.not-approved","message":"A write was called without the approval that matches it"}',
      },
    ])
  }
})

test('no tool takes the identity as an argument', async () => {
  const tools = await listServiceNowTools()
  const names = tools.flatMap((tool) => Object.keys(tool.inputSchema['properties'] ?? {}))
  expect(names.filter((name) => /person|employee|user|email|requested_for/.test(name))).toEqual([])
})

test('agents/tools.json is what the server says', async () => {
  expect((await readToolCatalogue('agents/tools.json'))['servicenow']?.tools).toEqual(await listServiceNowTools())
})

test('nobody is let in without a token for this server, of now, by the right key', async () => {
  const stranger = await exportJWK((await generateKeyPair('EdDSA', { extractable: true })).privateKey)
  const earlier = new Date(doors.clock.now().getTime() - 120_000)
  const later = new Date(doors.clock.now().getTime() + 120_000)
  const refused = {
    none: undefined,
    empty: 'Bearer ',
    basic: 'Basic YWxpY2U6c2VjcmV0',
    garbage: 'Bearer a.b.c',
    stranger: `Bearer ${await mint({ key: stranger })}`,
    other: `Bearer ${await mint({ audience: 'other' })}`,
    old: `Bearer ${await mint({ now: earlier })}`,
    early: `Bearer ${await mint({ now: later })}`,
    injection: `Bearer ${await mint({ person: 'a^ORemail=john.doe@company.com' })}`,
  }
  for (const [name, authorization] of Object.entries(refused)) {
    const response = await fetch(doors.urls[0] ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    })
    expect([name, response.status, response.headers.get('www-authenticate')]).toEqual([
      name,
      401,
      'Bearer error="invalid_token"',
    ])
  }
  expect(doors.mock.requests.filter((request) => request.includes('john'))).toEqual([])
})

test('what is no MCP request is answered at once: GET 405, other paths 404, a large body 413', async () => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const url = doors.urls[0] ?? ''
  const status = async (address: string, init: RequestInit = {}) => (await fetch(address, { headers, ...init })).status
  expect(await status(url)).toBe(405)
  expect(await status(url.replace('/mcp', '/'))).toBe(404)
  expect(await status(url, { method: 'POST', body: `{"filler":"${'x'.repeat(70_000)}"}` })).toBe(413)
})

test('the function is made from the environment, says which setting is missing, and shows no secret', async () => {
  const { d: _private, ...publicKey } = doors.privateKey
  const environment = {
    SERVICENOW_URL: `${doors.mock.url}/`,
    SERVICENOW_API_KEY: 'the-secret-key',
    SERVICENOW_LAPTOP_REFRESH_ID: 'mock_laptop_refresh_id',
    SERVICENOW_LICENCE_ID: 'mock_software_licence_id',
    SERVICENOW_HELP_ID: 'mock_help_request_id',
    DATABASE_URL: store.url,
    TOOL_IDENTITY_PUBLIC_KEY: JSON.stringify(publicKey),
  }
  const hosted = createFunction(environment)
  await hosted.readiness?.()
  expect((await hosted.fetch(new Request('http://localhost/mcp', { method: 'POST' }))).status).toBe(401)
  await hosted.shutdown?.()

  for (const name of Object.keys(environment)) {
    expect(() => createFunction({ ...environment, [name]: '' })).toThrow(name)
  }
  for (const change of [
    { SERVICENOW_URL: 'ftp://x' },
    { SERVICENOW_URL: 'https://name:the-password@example.com' },
    { SERVICENOW_URL: 'https://example.com/?table=sys_user' },
    { SERVICENOW_URL: 'https://example.com/#home' },
    { SERVICENOW_API_KEY_HEADER: 'a b' },
    { SERVICENOW_TIMEOUT_MS: '0' },
    { SERVICENOW_LAPTOP_AVOID_DUPLICATES: 'yes' },
    { TOOL_IDENTITY_PUBLIC_KEY: JSON.stringify(doors.privateKey) },
  ]) {
    expect(() => createFunction({ ...environment, ...change })).toThrow()
  }
  for (const [change, secret] of [
    [{ TOOL_IDENTITY_PUBLIC_KEY: JSON.stringify(doors.privateKey) }, String(doors.privateKey.d)],
    [{ SERVICENOW_URL: 'https://name:the-password@example.com' }, 'the-password'],
  ] as const) {
    expect(() => createFunction({ ...environment, ...change })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret) }),
    )
  }
})
