import { randomBytes } from 'node:crypto'
import { openObjectStore } from '../../shared/attachments/object-store.ts'
import { readObjectStoreSettings } from '../../shared/attachments/settings.ts'
import { openMailboxes } from '../../shared/channels/mailboxes.ts'
import { receive } from '../../shared/channels/receive.ts'
import type { Event } from '../../shared/events/event.ts'
import { publishEvent } from '../../shared/events/publish.ts'
import { flag, required, wholeNumber } from '../../shared/settings/environment.ts'
import { type StageFunction, toHandle } from '../../shared/stage/function.ts'
import { checkStore } from '../../shared/store/check.ts'
import { connect } from '../../shared/store/connect.ts'
import { createLog } from '../../shared/telemetry/log.ts'
import { requestId } from '../ingress/request-id.ts'
import { createKeeper } from './keep.ts'

/** keeper: the dead letter sink, and the repair tick. See functions/keeper/keep.ts. */
export function createFunction(environment = process.env): StageFunction {
  const bucket = readObjectStoreSettings(environment)
  const store = bucket === null ? null : openObjectStore(bucket)
  const database = connect(required(environment, 'DATABASE_URL', 'the address of Postgres'), { name: 'keeper' })
  const sink = required(environment, 'K_SINK', "the broker's address")
  const messageLimit = wholeNumber(environment, 'MESSAGE_LIMIT', 16_384, [1, 262_144])
  const mostWaiting = wholeNumber(environment, 'WAITING_LIMIT', 30, [1, 10_000])
  const now = () => new Date()
  const log = createLog({ function: 'keeper' })
  const publish = (event: Event) => publishEvent(sink, event, fetch)
  const newId = () => requestId(now(), randomBytes)
  const mailboxes = openMailboxes(environment, {
    receive: (incoming) =>
      receive({ database, publish, now, newId, randomBytes, log, messageLimit, mostWaiting }, incoming),
    ...{ database, now, randomBytes, fetch, log },
  })
  return {
    handle: toHandle(
      createKeeper({
        database,
        publish,
        now,
        mailboxes,
        callsPerson: flag(environment, 'HANDOFF_FAILED_TURNS'),
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
