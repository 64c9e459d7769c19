import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { createToolCaller } from '../functions/agent/call-tool.ts'
import type { AgentParts } from '../functions/agent/parts.ts'
import { createServiceNow } from '../functions/servicenow/servicenow.ts'
import { readSettings } from '../functions/servicenow/settings.ts'
import { type ModelServer, startModelServer } from '../local/model/server.ts'
import { defaults } from '../local/model/settings.ts'
import type { Employee } from '../local/servicenow/employees.ts'
import { type ServiceNowMock, startServiceNow } from '../local/servicenow/start.ts'
import type { Senders } from '../shared/channels/senders.ts'
import { loadAgents } from '../shared/flow/index.ts'
import { ingest, readKnowledge } from '../shared/knowledge/index.ts'
import { type Model, openModel } from '../shared/model/index.ts'
import { type Host, host } from '../shared/stage/host.ts'
import type { Database } from '../shared/store/connect.ts'
import type { Target } from '../shared/store/deliveries.ts'
import { readToolCatalogue } from '../shared/tools/catalogue.ts'
import { createPipeline, type Pipeline, quiet } from './pipeline.ts'

/**
 * The whole system in this process, on a migrated database that the caller brings: our agents, the MCP server and the
 * ServiceNow mock on loopback, the local model on its wire protocol or a model of the caller's own, and the stages.
 */
export interface ComposedWorld {
  mock: ServiceNowMock
  modelServer: ModelServer
  pipeline: Pipeline
  close(): Promise<void>
}

export const agentsFolder = join(import.meta.dirname, '../agents')

export interface WorldOptions {
  agents?: string
  /** In place of the local model. */
  model?: Model
  /** In place of the mock's own. */
  employees?: Employee[]
  limits?: Partial<AgentParts['limits']>
  start?: Date
  /** Channels that are pushed to; default none. */
  senders?: Senders
  /** Where those who take conversations over hear of them; default nowhere. */
  desk?: Target | null
  /** After a turn that was given up, a person is asked to take over; default no. */
  callsPerson?: boolean
  /** Around the caller of tools, for a test that puts a fault in between. */
  aroundTool?: (call: AgentParts['callTool']) => AgentParts['callTool']
  /** In front of the tool server, given its MCP endpoint: the endpoint that the agent calls. */
  beforeTools?: (url: string) => Promise<string>
}

/** Composes the system; `close` stops what it started and leaves the database open. */
export async function composeWorld(database: Database, options: WorldOptions = {}): Promise<ComposedWorld> {
  const folder = options.agents ?? agentsFolder
  const start = options.start ?? new Date('2026-11-24T09:00:00Z')
  await ingest(database, await readKnowledge(folder))
  const mock = await startServiceNow({
    now: () => start,
    ...(options.employees === undefined ? {} : { employees: options.employees }),
  })
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const now = () => pipeline.now()
  const tools: Host = await host(
    createServiceNow({
      settings: readSettings({
        SERVICENOW_URL: mock.url,
        SERVICENOW_API_KEY: 'test-key',
        SERVICENOW_LAPTOP_REFRESH_ID: 'mock_laptop_refresh_id',
        SERVICENOW_LICENCE_ID: 'mock_software_licence_id',
        SERVICENOW_HELP_ID: 'mock_help_request_id',
        SERVICENOW_TIMEOUT_MS: '1000',
        TOOL_IDENTITY_PUBLIC_KEY: JSON.stringify(publicKey.export({ format: 'jwk' })),
      }),
      database,
      now,
      log: quiet.log,
    }),
    { port: 0, hostname: '127.0.0.1', log: quiet.log },
  )
  const modelServer = await startModelServer({ settings: defaults, host: '127.0.0.1', port: 0, now: Date.now })
  const endpoint = `http://127.0.0.1:${tools.port}/mcp`
  const callTool = createToolCaller({
    servers: { servicenow: (await options.beforeTools?.(endpoint)) ?? endpoint },
    catalogue: await readToolCatalogue(join(agentsFolder, 'tools.json')),
    key: privateKey.export({ format: 'jwk' }),
    now,
  })
  const pipeline: Pipeline = createPipeline(
    database,
    {
      agents: await loadAgents(folder),
      model:
        options.model ?? openModel({ url: modelServer.url, model: defaults.model, apiKey: 'none', timeoutMs: 5_000 }),
      callTool: options.aroundTool?.(callTool) ?? callTool,
      ...(options.senders && { senders: options.senders }),
      ...{ callsPerson: options.callsPerson ?? false, desk: options.desk ?? null },
      limits: {
        stepsPerTurn: 40,
        tokensPerTurn: 20_000,
        tokensPerSession: 200_000,
        writeWindowMs: 60_000,
        ...options.limits,
      },
    },
    start,
  )
  return {
    mock,
    modelServer,
    pipeline,
    close: async () => {
      await tools.close()
      await modelServer.stop()
      await mock.close()
    },
  }
}
