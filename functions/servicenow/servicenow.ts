import { type AuthInfo, createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { Hono } from 'hono'
import { Fault } from '../../shared/errors/fault.ts'
import type { DoorFunction } from '../../shared/stage/function.ts'
import type { Database } from '../../shared/store/connect.ts'
import type { Log } from '../../shared/telemetry/log.ts'
import { type ToolIdentity, tokenIssuer, verifyToolToken } from '../../shared/tools/tool-token.ts'
import { serverName } from './check-approval.ts'
import { registerReadTools } from './read-tools.ts'
import { createRest } from './rest.ts'
import type { Settings } from './settings.ts'
import type { ToolParts } from './tool-parts.ts'
import { registerWriteTools } from './write-tools.ts'

export interface ServiceNowOptions {
  settings: Settings
  database: Database
  now: () => Date
  log: Log
}

/**
 * The MCP server `servicenow` at /mcp (streamable HTTP, stateless; MCP 2026-07-28 and the 2025 revisions). Every request,
 * the listing too, needs a bearer token from `mintToolToken`; whose data is read or written is the token's alone to say.
 */
export function createServiceNow(options: ServiceNowOptions): DoorFunction {
  const { settings, now, log } = options
  // Keyed by the object that the protocol library hands through, so that nothing a client sends can stand in for it.
  const identities = new WeakMap<AuthInfo, ToolIdentity>()
  const parts: ToolParts = {
    rest: createRest(settings),
    sql: options.database,
    settings,
    now,
    log,
    identityOf(authInfo) {
      const identity = authInfo === undefined ? undefined : identities.get(authInfo)
      if (identity === undefined) throw new Fault('identity.missing', 'The request carries no verified identity')
      return identity
    },
  }
  const handler = createMcpHandler(
    () => {
      const server = new McpServer({ name: serverName, version: '1' })
      registerReadTools(server, parts)
      registerWriteTools(server, parts)
      return server
    },
    { maxRequestBodySize: 64 * 1024, onerror: (error) => log.warn('MCP', { error }) },
  )

  const app = new Hono()
  app.all('/mcp', async (c) => {
    const token = /^Bearer ([\w.-]+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
    let identity: ToolIdentity
    try {
      if (token === undefined) throw new Fault('identity.missing', 'No bearer token')
      identity = await verifyToolToken(token, { audience: serverName, keys: settings.publicKeys, now: now() })
    } catch (error) {
      if (!Fault.is(error)) throw error
      log.warn('A request was not let in', { code: error.code, detail: error.message })
      return c.json({ code: error.code }, 401, { 'WWW-Authenticate': 'Bearer error="invalid_token"' })
    }
    const authInfo: AuthInfo = { token: '', clientId: tokenIssuer, scopes: [] }
    identities.set(authInfo, identity)
    return handler.fetch(c.req.raw, { authInfo })
  })
  return {
    fetch: (request) => app.fetch(request),
    shutdown: () => handler.close(),
  }
}
