import { randomUUID } from 'node:crypto'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { exportJWK, generateKeyPair } from 'jose'
import { connect } from '../../shared/store/connect.ts'
import { createLog } from '../../shared/telemetry/log.ts'
import { parseToolCatalogue, type Tool } from '../../shared/tools/catalogue.ts'
import { mintToolToken } from '../../shared/tools/tool-token.ts'
import { serverName } from './check-approval.ts'
import { createServiceNow } from './servicenow.ts'

/** What this server answers to tools/list, asked in this process: no port is opened, no store or ServiceNow reached. */
export async function listServiceNowTools(): Promise<Tool[]> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true })
  const now = () => new Date()
  const door = createServiceNow({
    settings: {
      url: 'http://localhost:1',
      apiKey: 'none',
      apiKeyHeader: 'x-sn-apikey',
      timeoutMs: 1,
      laptopRefreshId: 'none',
      licenceId: 'none',
      helpId: 'none',
      laptopRequestLimit: null,
      laptopAvoidDuplicates: false,
      publicKeys: { keys: [await exportJWK(publicKey)] },
    },
    database: connect('postgres://localhost:1/none'),
    now,
    log: createLog({}, { level: 'error' }),
  })
  const token = await mintToolToken({
    person: 'nobody@company.com',
    audience: serverName,
    key: await exportJWK(privateKey),
    now: now(),
    id: randomUUID(),
  })
  const client = new Client(
    { name: 'list-tools', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  )
  await client.connect(
    new StreamableHTTPClientTransport(new URL('http://localhost/mcp'), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
      fetch: async (input, init) => door.fetch(new Request(input, init)),
    }),
  )
  try {
    const { tools } = await client.listTools()
    return parseToolCatalogue({ [serverName]: { tools } })[serverName]?.tools ?? []
  } finally {
    await client.close()
    await door.shutdown?.()
  }
}
