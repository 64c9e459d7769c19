import { openSenders } from '../../shared/channels/senders.ts'
import { required } from '../../shared/settings/environment.ts'
import { type StageFunction, toHandle } from '../../shared/stage/function.ts'
import { checkStore } from '../../shared/store/check.ts'
import { connect } from '../../shared/store/connect.ts'
import { createLog } from '../../shared/telemetry/log.ts'
import { createDispatch } from './dispatch.ts'
import { readDesk } from './tell-desk.ts'

/** dispatch: delivers answers. See functions/dispatch/dispatch.ts. */
export function createFunction(environment = process.env): StageFunction {
  const database = connect(required(environment, 'DATABASE_URL', 'the address of Postgres'), { name: 'dispatch' })
  const now = () => new Date()
  const desk = readDesk(environment['HANDOFF_SLACK_CHANNEL'])
  const senders = openSenders(environment, { database, now, fetch, log: createLog({ function: 'dispatch' }) })
  return {
    handle: toHandle(createDispatch({ database, senders, now, desk })),
    readiness: () => checkStore(database),
    async shutdown() {
      await senders.close()
      await database.end({ timeout: 5 })
    },
  }
}
