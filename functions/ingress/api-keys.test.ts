import { afterAll, beforeAll, expect, test } from 'vitest'
import { atOnce, openTestDoor, type TestDoor } from './test-door.ts'

let door: TestDoor
let operator: { authorization: string }
beforeAll(async () => {
  door = await openTestDoor()
  const scopes = ['api-keys:manage', 'requests:act-for-others']
  operator = { authorization: `Bearer ${await door.token('ops@example.com', { scopes })}` }
})
afterAll(() => door.close())

interface Made {
  id: string
  key: string
  prefix: string
  subject: string
  scopes: string[]
  expires_at: string
  code: string
  detail: string
}
const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = operator) => {
  const response = await fetch(`${door.url}/api/v1/api-keys${path}`, {
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Made & { api_keys: Made[] } }
}
const make = async (body: object) => (await call('POST', '', body)).body
const bearer = (key: string) => ({ ...atOnce, authorization: `Bearer ${key}` })
const forBob = { content: 'hello', user_id: 'bob@example.com' }
const use = async (key: string) => (await door.ask(forBob, bearer(key))).status

test('a program asks by its key, with the scopes that it was given and no others', async () => {
  const key = await make({ name: 'hr', scopes: ['requests:act-for-others'] })
  expect(key).toMatchObject({
    subject: 'api-key:hr',
    scopes: ['requests:act-for-others'],
    prefix: `ssa_${key.id.replaceAll('-', '')}`,
  })
  expect(key.key).toMatch(new RegExp(`^${key.prefix}_[\\w-]{43}$`))
  const { status, body } = await door.ask(forBob, bearer(key.key))
  expect(status).toBe(202)
  expect(await door.rowOf(body.request_id)).toMatchObject({
    ...{ caller: 'api-key:hr', speaker: null, identity: 'email:bob@example.com' },
  })
  expect((await door.get(`/api/v1/requests/${body.request_id}`, bearer(key.key))).status).toBe(202)
  // Every key is a program's; it is nobody, so it speaks for nobody without the scope.
  const plain = await make({ name: 'plain' })
  expect(await use(plain.key)).toBe(403)
  expect((await door.ask({ content: 'x' }, bearer(plain.key))).status).toBe(400)
  const tool = { ...forBob, tool_id: 't', trigger_event: 'e' }
  expect((await door.ask(tool, bearer(key.key), '/api/v1/requests/tool')).status).toBe(202)
  for (const path of [
    '/api/v1/me',
    '/api/v1/approvals',
    '/api/v1/dead-letters',
    '/api/v1/api-keys',
    '/api/v1/events',
  ]) {
    expect((await door.get(path, bearer(key.key))).status, path).toBe(403)
  }
  expect((await door.get(`/api/v1/requests/${body.request_id}`, bearer(plain.key))).status).toBe(404)
})

test('a secret is shown once, kept as a hash, and nothing near it opens', async () => {
  const { key, prefix } = await make({ name: 'secret', scopes: ['requests:act-for-others'] })
  const secret = key.slice(prefix.length + 1)
  const rows = await door.store.database`select id, encode(hash, 'hex') as hash, subject from api_keys`
  const { body } = await call('GET', '')
  for (const text of [JSON.stringify(rows), JSON.stringify(body), door.lines.join('')])
    expect(text).not.toContain(secret)
  const other = await make({ name: 'other', scopes: [] })
  const flipped = key.slice(0, -10) + (key.at(-10) === 'A' ? 'B' : 'A') + key.slice(-9)
  for (const wrong of [
    ...[flipped, key.slice(0, -1), `${key}A`, key.toUpperCase(), `${prefix}_${'A'.repeat(43)}`, 'ssa_', `${prefix}_`],
    ...[`${other.prefix}_${secret}`, `ssa_${'0'.repeat(32)}_${secret}`, `${prefix}-${secret}`, secret],
  ]) {
    const response = await door.post('/api/v1/requests', forBob, bearer(wrong))
    expect([response.status, ((await response.json()) as Made).code], wrong).toEqual([401, 'identity.invalid'])
    expect(response.headers.get('www-authenticate')).toContain('invalid_token')
  }
  expect(await use(key)).toBe(202)
})

test('over is over: by time, by revocation', async () => {
  const key = await make({ name: 'short', scopes: ['requests:act-for-others'], days: 1 })
  expect(new Date(key.expires_at).getTime() - Date.now()).toBeLessThanOrEqual(86_400_000)
  await door.store.database`update api_keys set expires_at = now() where id = ${key.id}`
  expect(await use(key.key)).toBe(401)
  expect((await call('POST', `/${key.id}/secret`, {})).status).toBe(404)
  const revoked = await make({ name: 'revoked', scopes: ['requests:act-for-others'] })
  expect(await use(revoked.key)).toBe(202)
  expect((await call('DELETE', `/${revoked.id}`)).status).toBe(204)
  expect(await use(revoked.key)).toBe(401)
  expect((await call('POST', `/${revoked.id}/secret`, {})).status).toBe(404)
  expect((await call('DELETE', `/${revoked.id}`)).status).toBe(204)
  expect((await call('DELETE', '/00000000-0000-7000-8000-000000000000')).status).toBe(404)
})

test('a new secret, beside which the old one is taken for as long as was said', async () => {
  const first = await make({ name: 'turning', scopes: ['requests:act-for-others'] })
  const second = (await call('POST', `/${first.id}/secret`, {})).body
  expect(second.key).not.toBe(first.key)
  expect([await use(first.key), await use(second.key)]).toEqual([202, 202])
  await door.store.database`update api_keys set previous_until = now() where id = ${first.id}`
  expect([await use(first.key), await use(second.key)]).toEqual([401, 202])
  const third = (await call('POST', `/${first.id}/secret`, { overlap_hours: 0 })).body
  expect([await use(second.key), await use(third.key)]).toEqual([401, 202])
})

test('its use is noted, at most once a minute', async () => {
  const key = await make({ name: 'used', scopes: ['requests:act-for-others'] })
  const used = async () =>
    (await door.store.database`select last_used_at from api_keys where id = ${key.id}`)[0]?.['last_used_at']
  expect(await used()).toBeNull()
  await use(key.key)
  const first = await used()
  expect(first).toBeInstanceOf(Date)
  await use(key.key)
  expect(await used()).toEqual(first)
  await door.store.database`update api_keys set last_used_at = now() - interval '61 s' where id = ${key.id}`
  await use(key.key)
  expect((await used()).getTime()).toBeGreaterThan(Date.now() - 30_000)
})

test('nobody hands out what they do not have', async () => {
  const grant = await call('POST', '', { name: 'more', scopes: ['conversations:read'] })
  expect(grant).toMatchObject({ status: 403, body: { code: 'identity.forbidden' } })
  const weak = { authorization: `Bearer ${await door.token('weak@example.com', { scopes: ['api-keys:manage'] })}` }
  const strong = await make({ name: 'strong', scopes: ['requests:act-for-others'] })
  expect((await call('POST', `/${strong.id}/secret`, {}, weak)).status).toBe(403)
  expect((await call('POST', '', { name: 'x', scopes: ['requests:act-for-others'] }, weak)).status).toBe(403)
  expect((await call('POST', '', { name: 'x', scopes: ['service'] }, weak)).status).toBe(201)
  // To take away needs no more.
  expect((await call('DELETE', `/${strong.id}`, undefined, weak)).status).toBe(204)
  for (const wrong of [
    ...[{}, { name: '' }, { name: 'A' }, { name: 'a/b' }, { name: 'a', scopes: ['admin'] }, { name: 'a', scopes: 'x' }],
    ...[{ name: 'a', days: 0 }, { name: 'a', days: 731 }, { name: 'a', days: 1.5 }, []],
  ]) {
    expect((await call('POST', '', wrong)).status, JSON.stringify(wrong)).toBe(400)
  }
  expect((await call('POST', `/${strong.id}/secret`, { overlap_hours: 1_000 })).status).toBe(400)
})

test('what was done to keys is written down, without their secrets', async () => {
  await door.store.database`delete from audit`
  const key = await make({ name: 'audited', scopes: ['requests:act-for-others'] })
  const { body } = await call('POST', `/${key.id}/secret`, { overlap_hours: 1 })
  await call('DELETE', `/${key.id}`)
  const rows = await door.store.database`select actor, action, subject, detail from audit order by id`
  expect(rows).toMatchObject([
    { actor: 'ops@example.com', action: 'api-key.created', subject: key.id, detail: { program: 'api-key:audited' } },
    { action: 'api-key.rotated', subject: key.id, detail: { overlap_hours: 1 } },
    { action: 'api-key.revoked', subject: key.id },
  ])
  for (const made of [key.key, body.key]) expect(JSON.stringify(rows)).not.toContain(made.slice(-43))
})
