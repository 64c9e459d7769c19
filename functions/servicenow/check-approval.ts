import { Fault } from '../../shared/errors/fault.ts'
import { hashArguments } from '../../shared/flow/canonical-json.ts'
import type { Json } from '../../shared/flow/json.ts'
import type { ToolIdentity } from '../../shared/tools/tool-token.ts'
import type { Write } from './claim-write.ts'

/** Name under which flows know this server's tools, and audience of the tokens for it. */
export const serverName = 'servicenow'

/**
 * The write that a token's approval allows, if it is for exactly this tool with these arguments.
 * @throws Fault `tool.not-approved`
 */
export function checkApproval(identity: ToolIdentity, tool: string, given: Record<string, Json>): Write {
  const { approval, person } = identity
  const name = `${serverName}.${tool}`
  if (approval === null) throw new Fault('tool.not-approved', `${name}: the token carries no approval`)
  if (approval.tool !== name) throw new Fault('tool.not-approved', `${name}: the approval is for another tool`)
  const argumentsHash = hashArguments(given)
  if (approval.argumentsHash !== argumentsHash) {
    throw new Fault('tool.not-approved', `${name}: the approval is for other arguments`)
  }
  // Postgres knows a UUID in any case, ServiceNow's answers are compared letter by letter.
  return { key: approval.id.toLowerCase(), tool: name, argumentsHash, person, notAfter: approval.notAfter }
}
