import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createIngress } from '../../../functions/ingress/ingress.ts'
import { quiet } from '../../../test/pipeline.ts'
import { createWorld, type World } from '../../../test/world.ts'
import { eventTypes } from '../../events/catalogue.ts'
import { type Host, host } from '../../stage/host.ts'
import { openSenders } from '../senders.ts'
import { type Receiver, startReceiver } from './testing/receiver.ts'

/** A program from its registration to the answer that it is pushed: the door, the real agents, the sender. */
const environment = {
  WEBHOOK_SIGNING_KEY: 'a key of the tests, long enough for it',
  WEBHOOK_HTTP: 'true',
  WEBHOOK_PORTS: '*',
  WEBHOOK_NETWORKS: '127.0.0.0/8',
}
let world: World
let door: Host
let receiver: Receiver
beforeAll(async () => {
  const now = () => world.pipeline.now()
  const parts = { now, fetch, log: quiet.log }
  const senders = openSenders(environment, {
    ...parts,
    get database() {
      return world.db.database
    },
  })
  world = await createWorld({ senders })
  receiver = await startReceiver({ now })
  const ingress = createIngress({
    ...{ database: world.db.database, now, randomBytes, log: quiet.log, newId: randomUUID, webhooks: environment },
    publish: (event) => world.pipeline.deliver(event),
    brokerReady: async () => {},
    verify: async (token) => ({
      subject: token,
      email: null,
      kind: 'service',
      scopes: ['service', 'requests:act-for-others'],
    }),
  })
  door = await host(ingress, { port: 0, hostname: '127.0.0.1', log: quiet.log })
})
afterAll(async () => {
  await door.close()
  await receiver.close()
  await world.close()
})

const post = async (path: string, body: object) => {
  const headers = { authorization: 'Bearer hr', 'content-type': 'application/json', prefer: 'wait=5' }
  const response = await fetch(`http://127.0.0.1:${door.port}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  })
  return (await response.json()) as Record<string, string>
}

test('a program is pushed the answer to what it asked, the same as it may read', async () => {
  const { id, secret } = await post('/api/v1/webhooks', { url: receiver.url })
  receiver.secret = secret ?? ''
  const asked = { content: 'refresh', user_id: 'alice.johnson@company.com', reply_to: id }
  const read = await post('/api/v1/requests/tool', { ...asked, tool_id: 'crm', trigger_event: 'opened' })
  expect(receiver.refused).toEqual([])
  expect(receiver.taken).toEqual([{ id: expect.any(String), body: { delivery_id: receiver.taken[0]?.id, ...read } }])
  expect(read['status']).toBe('completed')
})

test('what was not taken is pushed once more under the same id, after a pause, for a day', async () => {
  receiver.taken.length = 0
  const { id, secret } = await post('/api/v1/webhooks', { url: receiver.url })
  receiver.secret = secret ?? ''
  receiver.plays.push({ status: 503 }, 'lose')
  await post('/api/v1/requests', { content: 'refresh', user_id: 'john.doe@company.com', reply_to: id })
  const answers = world.pipeline.events.filter(({ type }) => type === eventTypes.responseReady).slice(-1)
  for (let hour = 0; hour < 3; hour += 1) {
    world.pipeline.pass(3_600_000)
    await world.pipeline.deliver(...answers)
  }
  expect(receiver.taken).toHaveLength(2)
  expect(new Set(receiver.taken.map((taken) => taken.id)).size).toBe(1)
  const rows = await world.db.database`
    select state, attempts from deliveries where channel = 'webhook' order by place desc limit 1`
  expect(rows).toEqual([{ state: 'delivered', attempts: 3 }])
})
