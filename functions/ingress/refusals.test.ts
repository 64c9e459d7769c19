import { createHash, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventCall, formCall } from '../../local/slack/sign.ts'
import { offerLink } from '../../shared/channels/link.ts'
import { channels } from '../../shared/channels/registry.ts'
import { sign } from '../../shared/channels/webhook/sign.ts'
import { makeSecret } from '../../shared/identity/api-key.ts'
import { type Scope, scopes } from '../../shared/identity/caller.ts'
import { createApiKey } from '../../shared/store/api-keys.ts'
import { routes } from './routes.ts'
import { openTestDoor, type TestDoor } from './test-door.ts'
import { cookieName, sealCookie } from './web/cookies.ts'
import { readWebSettings } from './web/settings.ts'

/**
 * Every operation of the OpenAPI document, called with nothing, with what is wrong, with what is over, and as somebody
 * else; none may get in. What a bearer JWT may be is in openapi.test.ts.
 */
const origin = 'https://agent.example.com'
const signingSecret = 'a-signing-secret'
const eventSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const environment = {
  ...{ WEB_URL: origin, WEB_SESSION_KEY: randomBytes(32).toString('base64'), WEB_CLIENT_ID: 'the-page' },
  ...{ SLACK_SIGNING_SECRET: signingSecret, SLACK_BOT_TOKEN: 'xoxb-none', SLACK_API_URL: 'http://127.0.0.1:1/' },
  INTEGRATIONS_DIR: join(import.meta.dirname, '../../integrations'),
  EVENT_KEYS: JSON.stringify({
    hr: { tokens: [sha256('hr-token')], secrets: [eventSecret] },
    other: { tokens: [sha256('other-token')] },
  }),
}

let door: TestDoor
let listed: { method: string; path: string; security: Record<string, unknown>[] }[]
/** What was tried, and what of it got in. */
const abuse = { tried: 0, letIn: 0 }
beforeAll(async () => {
  door = await openTestDoor(environment)
  const document = (await (await fetch(`${door.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { security: Record<string, unknown>[] }>>
  }
  listed = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => ({ method: method.toUpperCase(), path, security })),
  )
})
afterAll(async () => {
  await door.close()
  const folder = join(import.meta.dirname, '../../reports')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'abuse-api.json'), `${JSON.stringify(abuse, null, 2)}\n`)
})

const nobody = '00000000-0000-7000-8000-000000000000'
const fill = (path: string, named = nobody) => path.replace(/\{\w+\}/, encodeURIComponent(named))
/** Statuses with which a caller is turned away before anything is read or done. */
const refusals = new Set([401, 403])
async function refused(
  what: string,
  init: { method: string; path: string; headers: Record<string, string>; body?: string },
) {
  const { method, path, headers } = init
  const body = ['POST', 'PUT'].includes(method) ? (init.body ?? '{"content":"x","name":"x","copies":[]}') : undefined
  const all = { 'content-type': 'application/json', prefer: 'respond-async', ...headers }
  const request = new Request(`${origin}${path}`, { method, headers: all, ...(body === undefined ? {} : { body }) })
  const response = await door.ingress.fetch(request)
  const text = await response.text()
  abuse.tried += 1
  if (!refusals.has(response.status)) abuse.letIn += 1
  expect([what, response.status, text], what).toEqual([
    what,
    expect.toSatisfy((status: number) => refusals.has(status)),
    expect.stringMatching(/"code":"(identity|channel)\./),
  ])
  return text
}
const rows = async () =>
  (
    await door.store.database`
      select (select count(*) from requests) as requests, (select count(*) from api_keys) as keys,
        (select count(*) from identities) as identities, (select count(*) from audit) as audit,
        (select count(*) from webhooks) as webhooks, (select count(*) from attachments) as attachments`
  )[0]

/** A key straight into the table, as no desk would make it. */
async function key(more: { scopes?: Scope[]; expiresAt?: Date; revokedAt?: Date | null } = {}) {
  const id = crypto.randomUUID()
  const { token, hash } = makeSecret(id, randomBytes)
  const at = new Date()
  const dates = { createdAt: at, expiresAt: new Date(at.getTime() + 60_000), lastUsedAt: null, ...more }
  await createApiKey(door.store.database, {
    ...{ id, subject: 'api-key:x', scopes: [], hash, createdBy: 'ops', revokedAt: null, ...dates },
  })
  if (more.revokedAt) await door.store.database`update api_keys set revoked_at = now() where id = ${id}`
  return token
}
const everyScope = Object.keys(scopes) as Scope[]

test('no API key that is wrong, over, revoked or without the scope opens any route', async () => {
  const ended = new Date(Date.now() - 1_000)
  const good = await key({ scopes: everyScope })
  const bad = {
    'nobody has it': makeSecret(nobody, randomBytes).token,
    'half of it': good.slice(0, -20),
    'another secret': `${good.slice(0, 37)}${randomBytes(32).toString('base64url')}`,
    'it is over': await key({ scopes: everyScope, expiresAt: ended }),
    'it is revoked': await key({ scopes: everyScope, revokedAt: ended }),
  }
  const plain = await key()
  const before = await rows()
  for (const { method, path, security } of listed) {
    if (security.length === 0 || !security.some((one) => 'bearer' in one)) continue
    for (const [name, token] of Object.entries(bad)) {
      const headers = { authorization: `Bearer ${token}` }
      await refused(`${name}: ${method} ${path}`, { method, path: fill(path), headers })
    }
    const route = routes.find((one) => one.method === method && one.path === path)
    // A key is nobody's: what is a person's is closed to it, whatever scopes it has.
    const without = route?.who === 'person' ? good : route?.who === 'caller' || route?.who === 'service' ? null : plain
    if (without === null) continue
    const headers = { authorization: `Bearer ${without}` }
    await refused(`not for it: ${method} ${path}`, { method, path: fill(path), headers })
  }
  expect(await rows()).toEqual(before)
})

test('no cookie that is wrong, over, of the other kind or sent along by another site opens any route', async () => {
  const settings = readWebSettings(environment, door.issuer)
  if (settings === null) throw new Error('no settings')
  const seal = async (kind: 'session' | 'sign-in', at: Date, by = settings) =>
    ((await sealCookie(kind, { sub: 'alice', email: 'alice@example.com' }, by, at)).split(';')[0] ?? '').split(
      '=',
    )[1] ?? ''
  const name = cookieName('session', settings)
  const now = new Date()
  const stranger = readWebSettings({ ...environment, WEB_SESSION_KEY: randomBytes(32).toString('base64') }, door.issuer)
  const bad = {
    none: null,
    'no cookie of ours': 'x',
    over: await seal('session', new Date(now.getTime() - 8 * 3_600_000 - 1_000)),
    'of the other kind': await seal('sign-in', now),
    'of another key': await seal('session', now, stranger ?? settings),
  }
  const good = await seal('session', now)
  const own = { origin, 'x-requested-with': 'chat' }
  const before = await rows()
  for (const { method, path, security } of listed) {
    if (security.length === 0 || path.startsWith('/channels/')) continue
    const call = (what: string, headers: Record<string, string>) =>
      refused(`${what}: ${method} ${path}`, { method, path: fill(path), headers })
    for (const [what, cookie] of Object.entries(bad)) {
      await call(what, { ...own, ...(cookie === null ? {} : { cookie: `${name}=${cookie}` }) })
    }
    const cookie = `${name}=${good}`
    if (!security.some((one) => 'session' in one)) await call('a cookie where none counts', { ...own, cookie })
    else if (method !== 'GET') {
      await call('from another site', { ...own, origin: 'https://evil.example', cookie })
      await call('from a form', { origin, cookie })
      await call('from nowhere', { 'x-requested-with': 'chat', cookie })
    }
  }
  expect(await rows()).toEqual(before)
})

/** What each channel's calls look like with every proof but the right one; a new channel has to be entered here. */
const proofs: Record<string, (path: string) => { what: string; headers: Record<string, string>; body: string }[]> = {
  slack(path) {
    const name = path.split('/').at(-1)
    const make = (at: Date, secret: string, text = 'x') =>
      name === 'events'
        ? eventCall({ type: 'event_callback', event: { type: 'message', text } }, { secret, at })
        : formCall(name === 'commands' ? 'commands' : 'interactions', { payload: text, text }, { secret, at })
    const now = new Date()
    const good = make(now, signingSecret)
    return [
      { what: 'nothing', headers: {}, body: good.body },
      { what: 'another secret', ...make(now, 'another-secret') },
      { what: 'over', ...make(new Date(now.getTime() - 301_000), signingSecret) },
      { what: 'another message’s', headers: make(now, signingSecret, 'y').headers, body: good.body },
    ]
  },
  events() {
    const event = { specversion: '1.0', id: 'e', source: 'x', type: 'com.example.hr.employee.joined' }
    const body = JSON.stringify({ ...event, data: { email: 'alice@example.com', contract: 'permanent' } })
    const type = { 'content-type': 'application/cloudevents+json' }
    const signed = (age: number, secret = eventSecret) => {
      const at = Math.floor(Date.now() / 1_000) - age
      const signature = sign(secret, 'm', at, Buffer.from(body))
      return { ...type, 'webhook-id': 'm', 'webhook-timestamp': String(at), 'webhook-signature': signature }
    }
    return [
      { what: 'nothing', headers: type, body },
      { what: 'a wrong token', headers: { ...type, authorization: 'Bearer wrong' }, body },
      { what: 'over', headers: signed(301), body },
      { what: 'a wrong secret', headers: signed(0, `whsec_${Buffer.alloc(32, 8).toString('base64')}`), body },
      { what: 'another source’s', headers: { ...type, authorization: 'Bearer other-token' }, body },
    ]
  },
}

test('no channel takes a call without its proof, with a wrong one, an old one or another’s', async () => {
  const before = await rows()
  const seen = new Set<string>()
  for (const { name, routes: ofChannel = [] } of channels) {
    for (const { method, path, proof } of ofChannel) {
      if (proof === null) continue
      seen.add(`${method} ${path}`)
      const calls = proofs[name]?.(path) ?? []
      expect(calls.length, `${name} is not entered here`).toBeGreaterThanOrEqual(4)
      for (const { what, headers, body } of calls) {
        await refused(`${what}: ${path}`, { method, path: fill(path, 'hr'), headers, body })
      }
      // Nor does a token of ours open what is a channel's.
      const headers = { authorization: `Bearer ${await door.token('alice@example.com', { scopes: everyScope })}` }
      await refused(`a token: ${path}`, { method, path: fill(path, 'hr'), headers })
    }
  }
  const proven = listed.filter(({ path, security }) => path.startsWith('/channels/') && security.length > 0)
  expect([...seen].sort()).toEqual(proven.map(({ method, path }) => `${method} ${path}`).sort())
  expect(await rows()).toEqual(before)
})

test("what is one person's is nobody else's, by whatever route it is named", async () => {
  const { database } = door.store
  const accepted = await door.post('/api/v1/requests', { content: 'x' }, { prefer: 'respond-async' })
  const { request_id: request } = (await accepted.json()) as { request_id: string }
  const session = await door.answer(request, 'Hello.')
  const file = await door.post('/api/v1/attachments', 'words', { 'content-type': 'text/plain' })
  const { id: attachment } = (await file.json()) as { id: string }
  const hook = await door.post('/api/v1/webhooks', { url: 'https://hooks.example.com/a' })
  const { id: webhook } = (await hook.json()) as { id: string }
  const account = { identity: 'slack:T1/U1', channel: 'slack', page: origin }
  const link = await offerLink({ database, now: () => new Date(), randomBytes }, account)
  await door.post('/api/v1/me/identities', { token: new URL(link).searchParams.get('token') })
  const approval = crypto.randomUUID()
  await database`
    insert into approvals (id, session, turn, step, tool, arguments, arguments_hash, person, expires_at, question, request,
      continuation, created_at)
    values (${approval}, ${session}, ${crypto.randomUUID()}, 's', 't', '{}', '', 'alice@example.com',
      now() + interval '1 day', 'Yes?', ${request}, '{}', now())`
  /** Everything of Alice's that a path can name; what an operator's scope opens has no owner. */
  const things: [RegExp, string][] = [
    [/^\/api\/v1\/requests\/\{id\}/, request],
    [/^\/api\/v1\/conversations\/\{id\}/, session],
    [/^\/api\/v1\/attachments\/\{id\}/, attachment],
    [/^\/api\/v1\/webhooks\/\{id\}/, webhook],
    [/^\/api\/v1\/approvals\/\{id\}/, approval],
    [/^\/api\/v1\/me\/identities\/\{identity\}/, account.identity],
  ]
  const ofOperators = /^\/api\/v1\/(dead-letters|api-keys|handoffs)\//
  const before = await rows()
  const seen = new Set<RegExp>()
  for (const { method, path, security } of listed) {
    if (!path.includes('{') || security.length === 0 || path.startsWith('/channels/') || ofOperators.test(path))
      continue
    const thing = things.find(([pattern]) => pattern.test(path))
    expect(thing, `${method} ${path}: whose is it?`).toBeDefined()
    if (thing === undefined) continue
    seen.add(thing[0])
    // To act for others is no leave to read what is theirs.
    for (const more of [{}, { scopes: ['requests:act-for-others'] }]) {
      const headers = {
        authorization: `Bearer ${await door.token('mallory@example.com', more)}`,
        'content-type': 'application/json',
      }
      const body = ['POST', 'PUT'].includes(method) ? { body: '{"decision":"approve"}' } : {}
      const response = await fetch(`${door.url}${fill(path, thing[1])}`, { method, headers, ...body })
      const missing = await fetch(`${door.url}${fill(path, 'slack:T1/U404')}`, { method, headers, ...body })
      abuse.tried += 1
      if (response.status !== 404) abuse.letIn += 1
      expect([`${method} ${path}`, response.status]).toEqual([`${method} ${path}`, 404])
      // Nobody learns from the answer whether there is such a thing.
      expect([missing.status, ((await missing.json()) as { code: string }).code]).toEqual([
        404,
        ((await response.json()) as { code: string }).code,
      ])
    }
  }
  expect(seen.size).toBe(things.length)
  expect(await rows()).toEqual(before)
  expect((await database`select state from approvals where id = ${approval}`)[0]).toEqual({ state: 'open' })
})
