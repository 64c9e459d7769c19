import { openObjectStore } from '../../shared/attachments/object-store.ts'
import { readObjectStoreSettings } from '../../shared/attachments/settings.ts'
import { publishEvent } from '../../shared/events/publish.ts'
import { required } from '../../shared/settings/environment.ts'
import { type StageFunction, toHandle } from '../../shared/stage/function.ts'
import { checkStore } from '../../shared/store/check.ts'
import { connect } from '../../shared/store/connect.ts'
import { createKeeper } from './keep.ts'

/** keeper: the dead letter sink, and the repair tick. See functions/keeper/keep.ts. */
export function createFunction(environment = process.env): StageFunction {
  const bucket = readObjectStoreSettings(environment)
  const store = bucket === null ? null : openObjectStore(bucket)
  const database = connect(required(environment, 'DATABASE_URL', 'the address of Postgres'), { name: 'keeper' })
  const sink = required(environment, 'K_SINK', "the broker's address")
  return {
    handle: toHandle(
      createKeeper({
        database,
        publish: (event) => publishEvent(sink, event, fetch),
        now: () => new Date(),
        ...(store === null ? {} : { deleteObject: (key) => store.delete(key) }),
      }),
    ),
    readiness: () => checkStore(database),
    async shutdown() {
      await store?.close()
      await database.end({ timeout: 5 })
    },
  }
}
