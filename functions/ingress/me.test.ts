import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { offerLink } from '../../shared/channels/link.ts'
import { openTestDoor, type TestDoor } from './test-door.ts'

let door: TestDoor
beforeAll(async () => {
  door = await openTestDoor()
})
afterAll(() => door.close())

const [alice, bob] = ['alice@example.com', 'bob@example.com']
const as = async (...args: Parameters<TestDoor['token']>) => ({ authorization: `Bearer ${await door.token(...args)}` })
const offer = async (identity: string, now = () => new Date()) => {
  const page = 'https://agent.example.com'
  const link = await offerLink(
    { database: door.store.database, now, randomBytes },
    { identity, channel: 'slack', page },
  )
  return new URL(link).searchParams.get('token') ?? ''
}
const call = async (method: string, path: string, body: unknown, email: string) => {
  const response = await fetch(`${door.url}${path}`, {
    method,
    headers: { ...(await as(email)), 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? null : JSON.parse(text) }
}
const confirm = (token: string, email: string) => call('POST', '/api/v1/me/identities', { token }, email)
const unlink = (identity: string, email: string) =>
  call('DELETE', `/api/v1/me/identities/${encodeURIComponent(identity)}`, undefined, email)
const prefer = (copies: unknown, email = alice) => call('PUT', '/api/v1/me/preferences', { copies }, email)
const me = async (email: string) => (await call('GET', '/api/v1/me', undefined, email)).body
const identitiesOf = async (email: string) =>
  (await me(email)).identities.map(({ identity }: { identity: string }) => identity).sort()
const audit = () => door.store.database`select actor, on_behalf_of, action, subject, detail from audit order by id`

test('whoever has never asked is somebody all the same, and nothing is written for looking', async () => {
  expect(await me('new@example.com')).toEqual({
    person: { email: 'new@example.com' },
    identities: [],
    preferences: { copies: [] },
    channels: [
      { name: 'slack', reached: false },
      { name: 'email', reached: true },
    ],
  })
  const [people] = await door.store.database`select count(*)::int as rows from people`
  expect(people).toEqual({ rows: 0 })
})

test('a link ties an account to whoever signed in with it: once, in a quarter of an hour', async () => {
  const token = await offer('slack:T1/U1')
  const stored = await door.store.database`select * from identity_links`
  expect(JSON.stringify(stored)).not.toContain(token)
  const shown = await call('GET', `/api/v1/me/link?token=${token}`, undefined, alice)
  expect(shown).toMatchObject({ status: 200, body: { identity: 'slack:T1/U1', channel: 'slack' } })
  const tries = await Promise.all(Array.from({ length: 10 }, () => confirm(token, alice)))
  expect(tries.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(404)])
  expect(await me(alice)).toMatchObject({
    identities: expect.arrayContaining([
      expect.objectContaining({ identity: 'slack:T1/U1', source: 'sign-in', believed_until: null, primary: false }),
      expect.objectContaining({ identity: `email:${alice}`, primary: true }),
    ]),
    channels: [
      { name: 'slack', reached: true },
      { name: 'email', reached: true },
    ],
  })
  expect((await call('GET', `/api/v1/me/link?token=${token}`, undefined, alice)).status).toBe(404)
  const over = await offer('slack:T1/U9', () => new Date(Date.now() - 15 * 60_000))
  expect((await confirm(over, alice)).status).toBe(404)
  const replaced = await offer('slack:T1/U9')
  const newest = await offer('slack:T1/U9')
  expect((await confirm(replaced, alice)).status).toBe(404)
  for (const wrong of ['', 'x', 'A'.repeat(43), `${newest}=`, 7, null]) {
    const { status } = await call('POST', '/api/v1/me/identities', { token: wrong }, alice)
    expect([400, 404]).toContain(status)
  }
  expect((await confirm(newest, alice)).status).toBe(200)
})

test("somebody else's account cannot be taken over, by whatever link, and the link stays good for its owner", async () => {
  await confirm(await offer('slack:T1/U2'), bob)
  // Also not one that the channel's own word gave to Bob, an hour ago.
  await door.store.database`
    insert into identities (identity, person, source, believed_until)
    select 'slack:T1/U3', id, 'channel', now() - interval '1 hour' from people where email = ${bob}`
  for (const identity of ['slack:T1/U2', 'slack:T1/U3']) {
    const token = await offer(identity)
    expect(await confirm(token, alice)).toMatchObject({ status: 409, body: { code: 'identity.claimed' } })
    expect(await identitiesOf(alice)).not.toContain(identity)
    expect((await confirm(token, bob)).status).toBe(200)
  }
  for (const identity of ['slack:T1/U2', `email:${bob}`, 'slack:T1/U404', "x' or '1'='1"]) {
    expect((await unlink(identity, alice)).status).toBe(404)
  }
  expect(await identitiesOf(bob)).toEqual([`email:${bob}`, 'slack:T1/U2', 'slack:T1/U3'])
  expect((await unlink('slack:T1/U2', bob)).status).toBe(204)
  expect((await unlink('slack:T1/U2', bob)).status).toBe(404)
  // Free now, for whoever has it next.
  expect((await confirm(await offer('slack:T1/U2'), alice)).status).toBe(200)
})

test('nobody unlinks the address that they are', async () => {
  expect(await unlink(`email:${alice}`, alice)).toMatchObject({ status: 409, body: { code: 'identity.primary' } })
  expect(await identitiesOf(alice)).toContain(`email:${alice}`)
})

test('who did it is written down, and nothing for what was refused', async () => {
  await door.store.database`delete from audit`
  const token = await offer('slack:T1/U5')
  await confirm(token, bob)
  await confirm(token, bob)
  await unlink('slack:T1/U5', alice)
  await unlink('slack:T1/U5', bob)
  await prefer(['email'], bob)
  await prefer(['nothing'], bob)
  expect(await audit()).toEqual([
    {
      ...{ actor: bob, on_behalf_of: null, action: 'identity.linked', subject: 'slack:T1/U5' },
      detail: { source: 'sign-in', channel: 'slack' },
    },
    { actor: bob, on_behalf_of: null, action: 'identity.unlinked', subject: 'slack:T1/U5', detail: {} },
    { actor: bob, on_behalf_of: null, action: 'preferences.changed', subject: bob, detail: { copies: ['email'] } },
  ])
})

test('copies go to channels that there are and on which the person is', async () => {
  const carol = 'carol@example.com'
  expect(await prefer(['email', 'email'], carol)).toEqual({ status: 200, body: { copies: ['email'] } })
  expect((await me(carol)).preferences).toEqual({ copies: ['email'] })
  expect(await prefer(['slack'], carol)).toMatchObject({
    status: 422,
    body: { code: 'preferences.not-reached', detail: 'copies: you are not on slack' },
  })
  expect(await prefer(['email', 'pigeon'], carol)).toMatchObject({ status: 422 })
  for (const wrong of [undefined, 'email', [7], ['{x,y}'], ['a"b'], Array(11).fill('email')]) {
    expect((await prefer(wrong, carol)).status).toBe(400)
  }
  expect((await me(carol)).preferences).toEqual({ copies: ['email'] })
  expect((await prefer([], carol)).status).toBe(200)
  expect((await me(carol)).preferences).toEqual({ copies: [] })
})
