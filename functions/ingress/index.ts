import { randomBytes } from 'node:crypto'
import { openObjectStore } from '../../shared/attachments/object-store.ts'
import { readObjectStoreSettings } from '../../shared/attachments/settings.ts'
import { openDoors } from '../../shared/channels/doors.ts'
import { receive } from '../../shared/channels/receive.ts'
import { configuredChannels } from '../../shared/channels/registry.ts'
import type { Event } from '../../shared/events/event.ts'
import { publishEvent } from '../../shared/events/publish.ts'
import { openKeys, verifyIdToken, verifyToken } from '../../shared/identity/verify.ts'
import { required, wholeNumber } from '../../shared/settings/environment.ts'
import { connect } from '../../shared/store/connect.ts'
import { createLog } from '../../shared/telemetry/log.ts'
import { checkBroker } from './check-broker.ts'
import { createIngress, type Ingress } from './ingress.ts'
import { requestId } from './request-id.ts'
import { readWebSettings } from './web/settings.ts'

/** ingress: the public door. See functions/ingress/ingress.ts. */
export function createFunction(environment = process.env): Ingress {
  const sink = required(environment, 'K_SINK', 'the address of the broker')
  const issuer = required(environment, 'OIDC_ISSUER', "the issuer whose tokens are taken, as in their claim 'iss'")
  const audience = required(environment, 'OIDC_AUDIENCE', "this system's name in the claim 'aud'")
  const keys = openKeys(new URL(required(environment, 'OIDC_JWKS_URL', "the address of the issuer's keys")))
  const messageLimit = wholeNumber(environment, 'MESSAGE_LIMIT', 16_384, [1, 262_144])
  const mostWaiting = wholeNumber(environment, 'WAITING_LIMIT', 30, [1, 10_000])
  const attachmentLimit = wholeNumber(environment, 'ATTACHMENT_LIMIT', 10_485_760, [1, 104_857_600])
  const bucket = readObjectStoreSettings(environment)
  const page = readWebSettings(environment, issuer)
  const { WEBHOOK_SIGNING_KEY, WEBHOOK_HTTP, WEBHOOK_PORTS, WEBHOOK_NETWORKS } = environment
  const database = connect(required(environment, 'DATABASE_URL', 'the address of Postgres'), { name: 'ingress' })
  const now = () => new Date()
  const log = createLog({ function: 'ingress' })
  const publish = (event: Event) => publishEvent(sink, event, fetch)
  const newId = () => requestId(now(), randomBytes)
  const doors = openDoors(environment, {
    receive: (incoming) =>
      receive({ database, publish, now, newId, randomBytes, log, messageLimit, mostWaiting }, incoming),
    ...{ database, now, randomBytes, fetch, log },
  })
  const ingress = createIngress({
    database,
    publish,
    brokerReady: () => checkBroker(sink, fetch),
    verify: (token) => verifyToken(token, { issuer, audience, keys, now }),
    now,
    newId,
    randomBytes,
    log,
    messageLimit,
    mostWaiting,
    channels: configuredChannels(environment).flatMap(({ name, reach }) => (reach ? [{ name, reach }] : [])),
    doors,
    webhooks: { WEBHOOK_SIGNING_KEY, WEBHOOK_HTTP, WEBHOOK_PORTS, WEBHOOK_NETWORKS },
    web:
      page === null
        ? null
        : {
            settings: page,
            fetch,
            verify: (token, expected) => verifyIdToken(token, { issuer, keys, now, ...expected }),
          },
    attachments: bucket === null ? null : { store: openObjectStore(bucket), limit: attachmentLimit },
  })
  return {
    ...ingress,
    async shutdown() {
      await ingress.shutdown?.()
      await database.end({ timeout: 5 })
    },
  }
}
