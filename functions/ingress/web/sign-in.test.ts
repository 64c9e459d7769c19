import { createHash } from 'node:crypto'
import { SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Fault } from '../../../shared/errors/fault.ts'
import { openCookie, sealCookie } from './cookies.ts'
import { readSession } from './session.ts'
import { createSignIn, type SignIn } from './sign-in.ts'
import { cookiesOf, openTestSignIn, origin, type TestSignIn } from './testing.ts'

let stand: TestSignIn
let signIn: SignIn
beforeAll(async () => {
  stand = await openTestSignIn()
  signIn = createSignIn(stand.parts)
})
afterAll(() => stand.close())
afterEach(() => {
  stand.ahead = 0
})

const begin = async () => {
  const response = await signIn.begin(new Request(`${origin}/sign-in`))
  return { location: response.headers.get('location') ?? '', cookie: cookiesOf(response), response }
}
const finish = (url: URL, cookie: string, by = signIn) => by.finish(new Request(url, { headers: { cookie } }))
const sealed = (cookie: string) => cookie.slice(cookie.indexOf('=') + 1)

test('a person signs in and is who they picked, by a cookie that says nothing to anybody else', async () => {
  const { location, cookie, response } = await begin()
  expect(response.status).toBe(302)
  expect(response.headers.getSetCookie()).toEqual([
    expect.stringMatching(/^__Host-sign-in=[\w.-]+; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/),
  ])
  const asked = new URL(location).searchParams
  expect(Object.fromEntries(asked)).toMatchObject({
    response_type: 'code',
    client_id: 'the-page',
    redirect_uri: `${origin}/sign-in/callback`,
    code_challenge_method: 'S256',
  })
  const secrets = await openCookie('sign-in', sealed(cookie), stand.settings, new Date())
  const verifier = String(secrets?.['verifier'])
  expect(verifier).toMatch(/^[\w-]{43}$/)
  expect(asked.get('code_challenge')).toBe(createHash('sha256').update(verifier).digest('base64url'))
  // Neither the verifier nor who signs in is to be read from what the browser holds.
  expect(location + cookie).not.toContain(verifier)

  const done = await finish(await stand.pick(location, 'alice@example.com'), cookie)
  expect([done.status, done.headers.get('location')]).toEqual([303, '/'])
  const [gone, session = ''] = done.headers.getSetCookie()
  expect(gone).toBe('__Host-sign-in=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure')
  expect(session).toMatch(/^__Host-session=[\w.-]+; Path=\/; Max-Age=28800; HttpOnly; SameSite=Lax; Secure$/)
  expect(session.length).toBeLessThan(1_000)
  expect(Buffer.from(sealed(cookiesOf(done)), 'base64url').toString('latin1')).not.toContain('alice')
  const request = new Request(origin, { headers: { cookie: cookiesOf(done) } })
  expect(await readSession(request, stand.settings, new Date())).toEqual({
    ...{ subject: 'alice@example.com', email: 'alice@example.com' },
    ...{ scopes: [], kind: 'person' },
  })
})

test('what does not belong to this sign-in signs nobody in', async () => {
  const [one, two] = [await begin(), await begin()]
  const mine = await stand.pick(one.location, 'alice@example.com')
  const tell = async (url: URL, cookie: string) => {
    const response = await finish(url, cookie)
    expect(response.status).toBe(303)
    const location = response.headers.get('location')
    expect(cookiesOf(response) === '').toBe(location !== '/')
    return location
  }
  const changed = (name: string, value: string | null) => {
    const url = new URL(mine)
    if (value === null) url.searchParams.delete(name)
    else url.searchParams.set(name, value)
    return url
  }
  expect(await tell(mine, '')).toBe('/?sign-in=stale')
  expect(await tell(mine, two.cookie)).toBe('/?sign-in=stale')
  expect(await tell(changed('state', null), one.cookie)).toBe('/?sign-in=stale')
  expect(await tell(mine, `${one.cookie}x`)).toBe('/?sign-in=stale')
  // A session's cookie is no sign-in's, whatever is in it.
  const state = mine.searchParams.get('state') ?? ''
  const other = await sealCookie('session', { state, nonce: 'n', verifier: 'v' }, stand.settings, new Date())
  expect(await tell(mine, `__Host-sign-in=${sealed(other.split(';')[0] ?? '')}`)).toBe('/?sign-in=stale')
  expect(await tell(changed('iss', 'https://issuer.example'), one.cookie)).toBe('/?sign-in=refused')
  // The document says that answers name their issuer.
  expect(await tell(changed('iss', null), one.cookie)).toBe('/?sign-in=refused')
  expect(await tell(changed('code', 'guessed'), one.cookie)).toBe('/?sign-in=refused')
  // Another sign-in's code: the verifier does not fit the challenge.
  const theirs = await stand.pick(two.location, 'alice@example.com')
  expect(await tell(changed('code', theirs.searchParams.get('code')), one.cookie)).toBe('/?sign-in=refused')
  stand.ahead = 601_000
  expect(await tell(mine, one.cookie)).toBe('/?sign-in=stale')
  stand.ahead = 0
  expect(await tell(mine, one.cookie)).toBe('/')
  // A code is good once.
  expect(await tell(mine, one.cookie)).toBe('/?sign-in=refused')
})

test('who came by a link goes on with it, and to no other place, whatever the address says', async () => {
  const token = 'a'.repeat(43)
  const go = async (query: string) => {
    const response = await signIn.begin(new Request(`${origin}/sign-in?${query}`))
    const mine = await stand.pick(response.headers.get('location') ?? '', 'alice@example.com')
    return (await finish(mine, cookiesOf(response))).headers.get('location')
  }
  expect(await go(`link=${token}`)).toBe(`/link?token=${token}`)
  for (const other of ['//evil.example', `${token}a`, `https://evil.example/${token}`, `${'a'.repeat(42)}%0d`, '']) {
    expect(await go(`link=${other}`)).toBe('/')
  }
})

test('whoever would rather not, and whoever has no address, is told so', async () => {
  const one = await begin()
  const denied = await finish(await stand.pick(one.location, ''), one.cookie)
  expect(denied.headers.get('location')).toBe('/?sign-in=denied')
  const two = await begin()
  const nobody = await finish(await stand.pick(two.location, 'not an address'), two.cookie)
  expect(nobody.headers.get('location')).toBe('/?sign-in=no-address')
})

test('an identity token of another sign-in, client, issuer, time or key is refused', async () => {
  const seconds = Math.floor(Date.now() / 1_000)
  const good = { email: 'alice@example.com', email_verified: true, sub: 'alice', nonce: 'right', aud: 'the-page' }
  const sign = (claims: object) =>
    new SignJWT({ iss: stand.issuer, iat: seconds, exp: seconds + 60, ...good, ...claims })
      .setProtectedHeader({ alg: 'EdDSA', kid: stand.key.kid })
      .sign(stand.key.private)
  const verify = async (claims: object) =>
    stand.parts.verify(await sign(claims), { audience: 'the-page', nonce: 'right' })
  expect(await verify({})).toMatchObject({ email: 'alice@example.com' })
  expect(await verify({ aud: ['the-page', 'x'], azp: 'the-page' })).toMatchObject({ email: 'alice@example.com' })
  for (const claims of [
    { nonce: 'wrong' },
    { nonce: undefined },
    { aud: 'self-service-agent' },
    { aud: ['the-page', 'x'] },
    { azp: 'x' },
    { iss: 'https://issuer.example' },
    { exp: seconds - 60 },
    { exp: undefined },
    { iat: undefined },
    { sub: '' },
  ]) {
    await expect(verify(claims), JSON.stringify(claims)).rejects.toMatchObject({ code: 'identity.invalid' })
  }
  expect(await verify({ email_verified: false })).toMatchObject({ email: null })
})

test('an issuer that is away, slow or another one is said to be, and no code is lost to it', async () => {
  const answers: Record<string, () => Promise<Response>> = {
    away: () => Promise.reject(new TypeError('fetch failed')),
    failing: async () => new Response('', { status: 502 }),
    'no document': async () => Response.json({ issuer: stand.issuer }),
    'another issuer': async () =>
      Response.json({
        issuer: 'https://x.example',
        authorization_endpoint: 'https://x.example/a',
        token_endpoint: 'https://x.example/t',
      }),
    'no JSON': async () => new Response('<html>'),
  }
  for (const [name, answer] of Object.entries(answers)) {
    const broken = createSignIn({ ...stand.parts, fetch: answer })
    await expect(broken.begin(new Request(`${origin}/sign-in`)), name).rejects.toMatchObject({
      code: 'identity.issuer-unavailable',
    })
    const { location, cookie } = await begin()
    const mine = await stand.pick(location, 'alice@example.com')
    expect((await finish(mine, cookie, broken)).headers.get('location')).toBe('/?sign-in=unavailable')
    expect((await finish(mine, cookie)).headers.get('location')).toBe('/')
  }
  expect(stand.lines.join('\n')).not.toMatch(/verifier|eyJ/)
})

test('a client with a secret shows it, form-encoded, and nowhere else', async () => {
  const calls: { url: string; authorization: string | null; body: string }[] = []
  const settings = { ...stand.settings, clientSecret: 'a b:c/d' }
  const secretive = createSignIn({
    ...stand.parts,
    settings,
    fetch: (async (url: string, init?: RequestInit) => {
      const authorization = new Headers(init?.headers).get('authorization')
      calls.push({ url, authorization, body: String(init?.body ?? '') })
      return fetch(url, init)
    }) as typeof fetch,
  })
  const response = await secretive.begin(new Request(`${origin}/sign-in`))
  const mine = await stand.pick(response.headers.get('location') ?? '', 'alice@example.com')
  expect((await finish(mine, cookiesOf(response), secretive)).headers.get('location')).toBe('/')
  const [read, token] = calls
  expect(read?.authorization).toBeNull()
  expect(Buffer.from(token?.authorization?.slice(6) ?? '', 'base64').toString()).toBe('the-page:a+b%3Ac%2Fd')
  expect(token?.body).not.toContain('a+b')
})

test('signing out is for the page alone', () => {
  const end = (headers: Record<string, string>) =>
    signIn.end(new Request(`${origin}/sign-out`, { method: 'POST', headers }))
  for (const headers of [
    {},
    { origin },
    { 'x-requested-with': 'chat' },
    { origin: 'null', 'x-requested-with': 'chat' },
    { origin: 'https://agent.example.com.evil.example', 'x-requested-with': 'chat' },
  ]) {
    expect(() => end(headers as Record<string, string>)).toThrow(Fault)
  }
  const response = end({ origin, 'x-requested-with': 'chat' })
  expect([response.status, response.headers.get('set-cookie')]).toEqual([
    204,
    '__Host-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure',
  ])
})
