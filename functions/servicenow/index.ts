import { required } from '../../shared/settings/environment.ts'
import type { DoorFunction } from '../../shared/stage/function.ts'
import { checkStore } from '../../shared/store/check.ts'
import { connect } from '../../shared/store/connect.ts'
import { createLog } from '../../shared/telemetry/log.ts'
import { createServiceNow } from './servicenow.ts'
import { readSettings } from './settings.ts'

/** servicenow: the MCP server in front of ServiceNow. See functions/servicenow/servicenow.ts. */
export function createFunction(environment = process.env): DoorFunction {
  const settings = readSettings(environment)
  const database = connect(required(environment, 'DATABASE_URL', 'the address of Postgres'), { name: 'servicenow' })
  const door = createServiceNow({
    settings,
    database,
    now: () => new Date(),
    log: createLog({ function: 'servicenow' }),
  })
  return {
    fetch: (request) => door.fetch(request),
    readiness: () => checkStore(database),
    async shutdown() {
      await door.shutdown?.()
      await database.end({ timeout: 5 })
    },
  }
}
