import { randomUUID } from 'node:crypto'
import { createAdaptorServer } from '@hono/node-server'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { findFreePorts } from '../../../local/platform/ports.ts'
import { type ServiceNowMock, startServiceNow } from '../../../local/servicenow/start.ts'
import { hashArguments } from '../../../shared/flow/canonical-json.ts'
import type { Json } from '../../../shared/flow/json.ts'
import type { Database } from '../../../shared/store/connect.ts'
import { createLog } from '../../../shared/telemetry/log.ts'
import { callTool, type ToolOutcome } from '../../../shared/tools/call-tool.ts'
import { mintToolToken, type ToolApproval } from '../../../shared/tools/tool-token.ts'
import { createServiceNow } from '../servicenow.ts'
import type { Settings } from '../settings.ts'

/** A clock that stands until it is moved. */
export interface TestClock {
  now(): Date
  forward(ms: number): void
}

export interface Doors {
  mock: ServiceNowMock
  clock: TestClock
  urls: string[]
  /** Lines that the doors logged. */
  logged: string[]
  privateKey: JWK
  /** An approval of exactly these arguments for a minute of the test's clock. */
  approve(tool: string, given: Record<string, Json>): ToolApproval
  call(tool: string, given: Record<string, Json>, options?: CallOptions): Promise<ToolOutcome>
  /** Lets so many more requests reach ServiceNow; the connection of each later one is refused, until `reconnect`. */
  refuseAfter(requests: number): void
  reconnect(): void
  close(): Promise<void>
}

interface CallOptions {
  person?: string
  approval?: ToolApproval
  /** Which of the instances is called. */
  door?: number
}

function startClock(at = '2026-11-24T08:00:00Z'): TestClock {
  let time = new Date(at).getTime()
  return {
    now: () => new Date(time),
    forward(ms) {
      time += ms
    },
  }
}

/** Starts the ServiceNow mock and `count` instances of the tool server on one database, all on loopback. */
export async function startDoors(
  database: Database,
  options: { count?: number; settings?: Partial<Settings>; clock?: TestClock } = {},
): Promise<Doors> {
  const clock = options.clock ?? startClock()
  const mock = await startServiceNow({ now: clock.now })
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true })
  const key = await exportJWK(privateKey)
  const [closed] = await findFreePorts(1)
  let connections = Number.POSITIVE_INFINITY
  const settings: Settings = {
    // Read for each request.
    get url() {
      connections -= 1
      return connections >= 0 ? mock.url : `http://127.0.0.1:${closed}`
    },
    apiKey: 'the-secret-key',
    apiKeyHeader: 'x-sn-apikey',
    timeoutMs: 400,
    laptopRefreshId: 'mock_laptop_refresh_id',
    licenceId: 'mock_software_licence_id',
    helpId: 'mock_help_request_id',
    laptopRequestLimit: null,
    laptopAvoidDuplicates: false,
    publicKeys: { keys: [await exportJWK(publicKey)] },
  }
  Object.assign(settings, options.settings)
  const logged: string[] = []
  const log = createLog({}, { level: 'debug', write: (line) => void logged.push(line) })
  const servers = await Promise.all(
    Array.from({ length: options.count ?? 1 }, async () => {
      const door = createServiceNow({ settings, database, now: clock.now, log })
      const server = createAdaptorServer({ fetch: (request) => door.fetch(request) })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const address = server.address()
      if (address === null || typeof address === 'string') throw new Error('The server has no port')
      const close = async () => {
        await door.shutdown?.()
        await new Promise<void>((resolve) => {
          server.close(() => resolve())
          if ('closeAllConnections' in server) server.closeAllConnections()
        })
      }
      return { url: `http://127.0.0.1:${address.port}/mcp`, close }
    }),
  )
  const urls = servers.map((server) => server.url)
  return {
    mock,
    clock,
    urls,
    logged,
    privateKey: key,
    approve: (tool, given) => ({
      id: randomUUID(),
      tool: `servicenow.${tool}`,
      argumentsHash: hashArguments(given),
      notAfter: new Date(clock.now().getTime() + 60_000),
    }),
    async call(tool, given, { person = 'alice.johnson@company.com', approval, door = 0 } = {}) {
      const token = await mintToolToken({
        person,
        audience: 'servicenow',
        key,
        now: clock.now(),
        id: randomUUID(),
        ...(approval === undefined ? {} : { approval }),
      })
      const server = { name: 'servicenow', url: urls[door] ?? '' }
      return callTool({ server, tool, arguments: given, token, timeoutMs: 5_000 })
    },
    refuseAfter(requests) {
      connections = requests
    },
    reconnect() {
      connections = Number.POSITIVE_INFINITY
    },
    async close() {
      await Promise.all(servers.map((server) => server.close()))
      await mock.close()
    },
  }
}
