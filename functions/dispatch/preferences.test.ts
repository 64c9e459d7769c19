import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { offerLink } from '../../shared/channels/link.ts'
import { recorder, sendersOf } from '../../shared/channels/testing/recorder.ts'
import { createWorld } from '../../test/world.ts'
import { createMeDesk } from '../ingress/me.ts'

/** What a person says by the API of where their answers go is what dispatch does. */
test('copies follow what the person says, to an account that they linked by signing in', async () => {
  const email = 'alice.johnson@company.com'
  const [chat, mail] = [recorder('chat'), recorder('email')]
  const senders = sendersOf({ chat, mail })
  const world = await createWorld({ senders })
  const { database } = world.db
  const { now } = world.pipeline
  const channels = ['chat', 'mail'].map((name) => ({
    name,
    reach: (identities: readonly string[]) => senders.reach(name, identities),
  }))
  const desk = createMeDesk({ database, now, channels })
  const caller = { subject: 'sub', email, scopes: [], kind: 'person' as const }
  const ask = () => world.pipeline.say(email, 'refresh')

  await ask()
  expect([chat.delivered, mail.delivered]).toEqual([[], []])
  await desk.setPreferences(caller, { copies: ['mail'] })
  await ask()
  expect(mail.delivered).toMatchObject([{ thread: email, origin: null }])
  await expect(desk.setPreferences(caller, { copies: ['chat'] })).rejects.toMatchObject({ status: 422 })

  const account = { identity: 'chat:U1', channel: 'chat', page: 'https://agent.example.com' }
  const link = await offerLink({ database, now, randomBytes }, account)
  await desk.link(caller, { token: new URL(link).searchParams.get('token') })
  await desk.setPreferences(caller, { copies: ['chat'] })
  await ask()
  expect(chat.delivered).toMatchObject([{ thread: 'U1', person: email }])
  expect(mail.delivered).toHaveLength(1)

  // Without the account there is nowhere to send copies, and the answer itself is there all the same.
  await desk.unlink(caller, 'chat:U1')
  expect((await ask()).state).toBe('answered')
  expect([chat.delivered.length, mail.delivered.length]).toEqual([1, 1])
  await world.close()
})
