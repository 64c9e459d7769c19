import type { AuthInfo } from '@modelcontextprotocol/server'
import type { Database } from '../../shared/store/connect.ts'
import type { Log } from '../../shared/telemetry/log.ts'
import type { ToolIdentity } from '../../shared/tools/tool-token.ts'
import type { Rest } from './rest.ts'
import type { Settings } from './settings.ts'

/** What the tools are made with. */
export interface ToolParts {
  rest: Rest
  sql: Database
  settings: Settings
  now: () => Date
  log: Log
  /** The verified identity behind a request. @throws Fault `identity.missing` */
  identityOf(authInfo: AuthInfo | undefined): ToolIdentity
}
