import { required } from '../../shared/settings/environment.ts'
import { type StageFunction, toHandle } from '../../shared/stage/function.ts'
import { onceInOneTransaction } from '../../shared/stage/once.ts'
import { checkStore } from '../../shared/store/check.ts'
import { connect } from '../../shared/store/connect.ts'
import { dispatch } from './dispatch.ts'

/** dispatch: delivers answers. See functions/dispatch/dispatch.ts. */
export function createFunction(environment = process.env): StageFunction {
  const database = connect(required(environment, 'DATABASE_URL', 'the address of Postgres'), { name: 'dispatch' })
  return {
    handle: toHandle(
      onceInOneTransaction({
        consumer: 'dispatch',
        database,
        work: (event, sql) => dispatch(event, sql, new Date()),
      }),
    ),
    readiness: () => checkStore(database),
    shutdown: () => database.end({ timeout: 5 }),
  }
}
