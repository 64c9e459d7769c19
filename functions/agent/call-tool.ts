import { randomUUID } from 'node:crypto'
import type { JWK } from 'jose'
import { Fault } from '../../shared/errors/fault.ts'
import { callTool } from '../../shared/tools/call-tool.ts'
import { findTool, type ToolCatalogue } from '../../shared/tools/catalogue.ts'
import { mintToolToken } from '../../shared/tools/tool-token.ts'
import type { ToolCaller } from './parts.ts'

/**
 * Makes the agent's tool caller: finds the tool's server, mints the token that says for whom the call is made and under
 * which approval, and holds the answer to the pinned output schema.
 */
export function createToolCaller(options: {
  /** MCP endpoints by server name. */
  servers: Record<string, string>
  catalogue: ToolCatalogue
  /** Private Ed25519 key that signs the tokens. */
  key: JWK
  now: () => Date
  newId?: () => string
}): ToolCaller {
  const { servers, catalogue, key, now, newId = randomUUID } = options
  return async (call, signal) => {
    const dot = call.tool.indexOf('.')
    const server = call.tool.slice(0, dot)
    const url = servers[server]
    const tool = findTool(catalogue, call.tool)
    if (url === undefined || tool === undefined) throw new Fault('tool.refused', `no server or tool for ${call.tool}`)
    const token = await mintToolToken({
      person: call.person,
      audience: server,
      key,
      now: now(),
      id: newId(),
      ...(call.approval === null
        ? {}
        : {
            approval: {
              id: call.approval.id,
              tool: call.tool,
              argumentsHash: call.approval.argumentsHash,
              notAfter: call.approval.notAfter,
            },
          }),
    })
    return callTool({
      server: { name: server, url },
      tool: call.tool.slice(dot + 1),
      arguments: call.arguments,
      token,
      timeoutMs: call.timeoutMs,
      signal,
      ...(tool.outputSchema === undefined ? {} : { outputSchema: tool.outputSchema }),
    })
  }
}
