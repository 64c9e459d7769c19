import { quiet } from '../../../test/pipeline.ts'
import { createWorld } from '../../../test/world.ts'
import type { Senders } from '../senders.ts'
import { describeChannel } from '../testing/case-table.ts'
import { createWebhook } from './rows.ts'
import { openWebhookSender } from './sender.ts'
import { readWebhookSettings } from './settings.ts'
import { secretOf } from './sign.ts'
import { type Receiver, startReceiver } from './testing/receiver.ts'

const settings = readWebhookSettings({
  WEBHOOK_SIGNING_KEY: 'a key of the tests, long enough for it',
  WEBHOOK_HTTP: 'true',
  WEBHOOK_PORTS: '*',
  WEBHOOK_NETWORKS: '127.0.0.0/8',
})
if (settings === null) throw new Error('there are no settings')
const { key } = settings
const ids = { one: '00000000-0000-7000-8000-000000000001', two: '00000000-0000-7000-8000-000000000002' }

/**
 * A channel that only sends: what comes in is taken as from a door that has proven it, and the program behind the
 * webhook is the thread. Its asking, and who may name which webhook, is in functions/ingress/webhooks.test.ts.
 */
describeChannel('webhook', 1_000_000, async () => {
  const senders: Senders = {
    names: ['webhook'],
    reach: () => null,
    of: async () =>
      openWebhookSender(settings, { database: world.db.database, now: () => world.pipeline.now(), log: quiet.log }),
    close: async () => {},
  }
  const world = await createWorld({ senders })
  const receivers: Record<'one' | 'two', Receiver> = {
    one: await startReceiver({ now: () => world.pipeline.now() }),
    two: await startReceiver({ now: () => world.pipeline.now() }),
  }
  for (const thread of ['one', 'two'] as const) {
    const [id, receiver] = [ids[thread], receivers[thread]]
    const owner = { subject: 'hr', email: null }
    await createWebhook(world.db.database, owner, { id, url: receiver.url, now: world.pipeline.now() })
    receiver.secret = secretOf(key, id, 1)
  }
  const bring = async (more: { person: string; text: string; thread: 'one' | 'two'; id: string }) => {
    await world.pipeline.receive({
      ...{ channel: 'webhook', message: more.id, person: more.person, caller: 'hr', own: true, text: more.text },
      ...{ thread: ids[more.thread], context: {}, button: null, attachments: [] },
    })
  }
  return {
    world,
    bring,
    // Whoever cannot prove an address of an employee's.
    forgeries: (text) =>
      ['', 'alice', 'alice@@company.com', 'alice.johnson@company.com, eve@x.y'].map((person) => async () => {
        await bring({ person, text, thread: 'one', id: 'forged' }).catch(() => {})
      }),
    noise: () => [
      () => bring({ person: 'alice.johnson@company.com', text: ' \n', thread: 'one', id: 'n' }).catch(() => {}),
    ],
    shown: async (thread) => {
      const { taken } = receivers[thread]
      return taken.map(({ body }) => ({ text: body.response?.content ?? '', buttons: [] }))
    },
    press: null,
    next(play) {
      const plays = { unavailable: { status: 503 }, refused: { status: 404 }, lost: 'lose' } as const
      receivers.one.plays.push(plays[play])
    },
    looksUp: false,
    async close() {
      await world.close()
      for (const receiver of Object.values(receivers)) await receiver.close()
    },
  }
})
