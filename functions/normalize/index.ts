import { required } from '../../shared/settings/environment.ts'
import { type StageFunction, toHandle } from '../../shared/stage/function.ts'
import { onceInOneTransaction } from '../../shared/stage/once.ts'
import { checkStore } from '../../shared/store/check.ts'
import { connect } from '../../shared/store/connect.ts'
import { normalize } from './normalize.ts'

/** normalize: request.created in, request.normalized out. See functions/normalize/normalize.ts. */
export function createFunction(environment = process.env): StageFunction {
  const database = connect(required(environment, 'DATABASE_URL', 'the address of Postgres'), { name: 'normalize' })
  return {
    handle: toHandle(
      onceInOneTransaction({
        consumer: 'normalize',
        database,
        work: (event, sql) => normalize(event, sql, new Date()),
      }),
    ),
    readiness: () => checkStore(database),
    shutdown: () => database.end({ timeout: 5 }),
  }
}
