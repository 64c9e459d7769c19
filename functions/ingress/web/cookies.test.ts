import { randomBytes } from 'node:crypto'
import { UnsecuredJWT } from 'jose'
import { expect, test } from 'vitest'
import { cookieName, openCookie, readCookie, sealCookie } from './cookies.ts'
import { readSession, sealSession } from './session.ts'
import { readWebSettings, type WebSettings } from './settings.ts'

const key = () => randomBytes(32).toString('base64')
const [first, second] = [key(), key()]
const make = (more: Record<string, string> = {}): WebSettings => {
  const settings = readWebSettings(
    { WEB_URL: 'https://agent.example.com', WEB_SESSION_KEY: first, WEB_CLIENT_ID: 'page', ...more },
    'https://issuer.example',
  )
  if (settings === null) throw new Error('no settings')
  return settings
}
const at = new Date('2026-01-02T03:04:05Z')
const later = (hours: number) => new Date(at.getTime() + hours * 3_600_000)
const settings = make()
const alice = { subject: 'alice', email: 'alice@example.com' }
const sealedIn = (cookie: string) => cookie.slice(cookie.indexOf('=') + 1).split(';')[0] ?? ''

test('a session lasts its hours, for the host and the key that sealed it', async () => {
  const value = sealedIn(await sealSession(alice, settings, at))
  expect(await openCookie('session', value, settings, later(7.9))).toMatchObject({ sub: 'alice' })
  expect(await openCookie('session', value, settings, later(8.1))).toBeNull()
  expect(await openCookie('sign-in', value, settings, at)).toBeNull()
  expect(await openCookie('session', value, make({ WEB_URL: 'https://other.example.com' }), at)).toBeNull()
  expect(await openCookie('session', value, make({ WEB_SESSION_KEY: second }), at)).toBeNull()
  for (let index = 0; index < value.length; index += 7) {
    const changed = value.slice(0, index) + (value[index] === 'A' ? 'B' : 'A') + value.slice(index + 1)
    // The last character of a part has bits that count for nothing.
    const opened = await openCookie('session', changed, settings, at)
    if (opened !== null) expect(opened).toMatchObject({ sub: 'alice' })
  }
  const forged = new UnsecuredJWT({ sub: 'mallory', email: 'mallory@example.com' }).setExpirationTime('2h').encode()
  for (const text of ['', 'x', '....', forged]) expect(await openCookie('session', text, settings, at)).toBeNull()
})

test('a new key in front seals, and what the old one sealed is still good', async () => {
  const old = sealedIn(await sealSession(alice, settings, at))
  const both = make({ WEB_SESSION_KEY: `${second}, ${first}` })
  expect(await openCookie('session', old, both, at)).toMatchObject({ sub: 'alice' })
  const young = sealedIn(await sealSession(alice, both, at))
  expect(await openCookie('session', young, settings, at)).toBeNull()
})

test('on this machine by http the cookies are plain ones, everywhere else they are of the host alone', async () => {
  const here = make({ WEB_URL: 'http://127.0.0.1:8080' })
  expect(await sealCookie('session', {}, here, at)).toMatch(
    /^self-service-agent-session=[^;]+; Path=\/; Max-Age=28800; HttpOnly; SameSite=Lax$/,
  )
  expect(cookieName('session', settings)).toBe('__Host-session')
  const read = (cookie: string) => readCookie('session', new Headers({ cookie }), settings)
  expect(read('a=b; __Host-session=x.y; c=d')).toBe('x.y')
  expect(read('__Host-sessions=x')).toBeNull()
  expect(read('a=__Host-session=x')).toBeNull()
})

test('a change by cookie comes from the page itself', async () => {
  const cookie = `__Host-session=${sealedIn(await sealSession(alice, settings, at))}`
  const call = (method: string, headers: Record<string, string> = {}) =>
    readSession(new Request('https://agent.example.com/', { method, headers: { cookie, ...headers } }), settings, at)
  const own = { origin: 'https://agent.example.com', 'x-requested-with': 'chat' }
  expect(await call('GET')).toMatchObject({ email: 'alice@example.com', scopes: [], kind: 'person' })
  expect(await call('POST', own)).toMatchObject({ email: 'alice@example.com' })
  for (const headers of [
    {},
    { 'x-requested-with': 'chat' },
    { origin: own.origin },
    { ...own, origin: 'https://evil.example' },
    { ...own, origin: 'http://agent.example.com' },
    { ...own, origin: 'null' },
  ] as Record<string, string>[]) {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      await expect(call(method, headers)).rejects.toMatchObject({ code: 'identity.cross-site' })
    }
  }
  const bad = new Request('https://agent.example.com/', { headers: { cookie: '__Host-session=x' } })
  await expect(readSession(bad, settings, at)).rejects.toMatchObject({ code: 'identity.invalid' })
})

test('settings that would be unsafe are refused by name', () => {
  expect(readWebSettings({}, 'i')).toBeNull()
  for (const [more, why] of [
    [{ WEB_URL: 'http://agent.example.com' }, 'WEB_URL'],
    [{ WEB_URL: 'https://agent.example.com/chat' }, 'WEB_URL'],
    [{ WEB_URL: 'agent.example.com' }, 'WEB_URL'],
    [{ WEB_SESSION_KEY: '' }, 'WEB_SESSION_KEY is not set'],
    [{ WEB_SESSION_KEY: 'short' }, 'WEB_SESSION_KEY takes 32 bytes'],
    [{ WEB_SESSION_KEY: `${first},` }, 'WEB_SESSION_KEY takes 32 bytes'],
    [{ WEB_CLIENT_ID: '' }, 'WEB_CLIENT_ID is not set'],
  ] as [Record<string, string>, string][]) {
    expect(() => make(more)).toThrow(why)
  }
})
