import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request as rawRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { verifyToken } from '../../shared/identity/verify.ts'
import { type IssuerKey, openKey } from './key.ts'
import { createIssuer } from './serve.ts'

const redirectUri = 'http://127.0.0.1:1/sign-in/callback'
const verifier = 'v'.repeat(43)
const challenge = createHash('sha256').update(verifier).digest('base64url')
const people = [{ name: 'Alice <b>', email: 'alice@example.com', location: 'EMEA' }]

let folder: string
let key: IssuerKey
let url = ''
let server: ReturnType<typeof createIssuer>
let ahead = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'issuer-'))
  key = await openKey(folder)
  const client = { id: 'page', redirectUri }
  server = createIssuer(key, () => url, { client, people, now: () => new Date(Date.now() + ahead) })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.close()
  server.closeAllConnections()
  await rm(folder, { recursive: true })
})

const good = {
  ...{ response_type: 'code', client_id: 'page', redirect_uri: redirectUri, scope: 'openid email', state: 's t' },
  ...{ nonce: 'n', code_challenge: challenge, code_challenge_method: 'S256' },
}
type Fields = Record<string, string | undefined>
const form = (fields: Fields): URLSearchParams =>
  new URLSearchParams(
    Object.fromEntries(Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined)),
  )
const ask = (more: Fields = {}) => fetch(`${url}/authorize?${form({ ...good, ...more })}`, { redirect: 'manual' })
const pick = (more: Fields = {}, headers: Record<string, string> = { origin: url }) =>
  fetch(`${url}/authorize`, {
    method: 'POST',
    headers,
    body: form({ ...good, as: 'alice@example.com', ...more }),
    redirect: 'manual',
  })
const codeOf = (response: Response) => new URL(response.headers.get('location') ?? '').searchParams.get('code') ?? ''
const redeem = async (code: string, more: Fields = {}) => {
  const fields = {
    ...{ grant_type: 'authorization_code', code, redirect_uri: redirectUri, client_id: 'page' },
    ...{ code_verifier: verifier, ...more },
  }
  const response = await fetch(`${url}/token`, { method: 'POST', body: form(fields) })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, string> }
}

test('the document names its endpoints and what they take', async () => {
  const found = await (await fetch(`${url}/.well-known/openid-configuration`)).json()
  expect(found).toMatchObject({
    ...{ authorization_endpoint: `${url}/authorize`, token_endpoint: `${url}/token` },
    ...{ response_types_supported: ['code'], code_challenge_methods_supported: ['S256'] },
    authorization_response_iss_parameter_supported: true,
  })
})

test('a person is picked, and the page gets a token about them that opens nothing else', async () => {
  const shown = await ask()
  expect(shown.status).toBe(200)
  expect(shown.headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
  const page = await shown.text()
  expect(page).toContain('alice@example.com')
  expect(page).not.toContain('<b>')
  const back = await pick()
  expect(back.status).toBe(303)
  const answer = new URL(back.headers.get('location') ?? '')
  expect(`${answer.origin}${answer.pathname}`).toBe(redirectUri)
  expect(Object.fromEntries(answer.searchParams)).toEqual({ code: codeOf(back), state: 's t', iss: url })
  const { status, headers, body } = await redeem(codeOf(back))
  expect([status, headers.get('cache-control'), body['token_type']]).toEqual([200, 'no-store', 'Bearer'])
  const keys = createLocalJWKSet({ keys: [key.publicJwk] })
  const { payload } = await jwtVerify(body['id_token'] ?? '', keys, { issuer: url, audience: 'page' })
  expect(payload).toMatchObject({ sub: 'alice@example.com', email: 'alice@example.com', nonce: 'n' })
  // There is no way to a token of the API here.
  for (const token of [body['id_token'], body['access_token']]) {
    await expect(verifyToken(token ?? '', { issuer: url, audience: 'self-service-agent', keys })).rejects.toMatchObject(
      {
        code: 'identity.invalid',
      },
    )
  }
})

// RFC 6749, sections 3.1 and 4.1.2.1: whoever is not known is not redirected to.
test.each([
  ['another client', { client_id: 'other' }],
  ['no client', { client_id: undefined }],
  ['another redirect URI', { redirect_uri: 'https://evil.example/' }],
  ['a longer redirect URI', { redirect_uri: `${redirectUri}/x` }],
  ['no redirect URI', { redirect_uri: undefined }],
])('%s is told to the person, and nowhere else', async (_name, more: Fields) => {
  for (const response of [await ask(more), await pick(more)]) {
    expect([response.status, response.headers.get('location')]).toEqual([400, null])
  }
})

test('a parameter that comes twice is refused', async () => {
  const twice = await fetch(`${url}/authorize?${form(good)}&redirect_uri=https://evil.example/`, { redirect: 'manual' })
  expect([twice.status, twice.headers.get('location')]).toEqual([400, null])
})

// RFC 6749, section 4.1.2.1; RFC 7636, section 4.4.1; OpenID Connect Core 1.0, sections 3.1.2.1 and 3.1.2.6.
test.each([
  ['no response type', { response_type: undefined }, 'invalid_request'],
  ['the implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
  ['no openid', { scope: 'email' }, 'invalid_scope'],
  ['no challenge', { code_challenge: undefined }, 'invalid_request'],
  ['a plain challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
  ['no method, which means plain', { code_challenge_method: undefined }, 'invalid_request'],
  ['a challenge that is none', { code_challenge: 'short' }, 'invalid_request'],
  ['a sign-in without a page', { prompt: 'none' }, 'login_required'],
])('%s is refused to the client', async (_name, more: Fields, error) => {
  const response = await ask(more)
  expect(response.status).toBe(303)
  const answer = new URL(response.headers.get('location') ?? '').searchParams
  expect([answer.get('error'), answer.get('state'), answer.get('iss'), answer.get('code')]).toEqual([
    error,
    's t',
    url,
    null,
  ])
})

test('a pick comes from the page that was shown, of somebody who is there, or of nobody', async () => {
  for (const origin of ['https://evil.example', 'null']) expect((await pick({}, { origin })).status).toBe(403)
  expect((await pick({}, {})).status).toBe(403)
  expect((await pick({ as: 'mallory@example.com' })).status).toBe(400)
  expect((await pick({ as: undefined })).status).toBe(400)
  const nobody = new URL((await pick({ as: '' })).headers.get('location') ?? '').searchParams
  expect([nobody.get('error'), nobody.get('code')]).toEqual(['access_denied', null])
})

// RFC 6749, sections 4.1.2, 4.1.3 and 5.2; RFC 7636, section 4.6.
test.each([
  ['another verifier', { code_verifier: 'w'.repeat(43) }, 'invalid_grant'],
  ['a verifier that is too short', { code_verifier: 'v'.repeat(42) }, 'invalid_grant'],
  ['no verifier', { code_verifier: undefined }, 'invalid_request'],
  ['the challenge in place of the verifier', { code_verifier: challenge }, 'invalid_grant'],
  ['another redirect URI', { redirect_uri: 'https://evil.example/' }, 'invalid_grant'],
  ['another client', { client_id: 'other' }, 'invalid_client'],
  ['another grant', { grant_type: 'password' }, 'unsupported_grant_type'],
  ['no grant', { grant_type: undefined }, 'invalid_request'],
  ['a code that nobody issued', { code: 'guessed' }, 'invalid_grant'],
])('%s gets no token', async (_name, more: Fields, error) => {
  const { status, body } = await redeem(codeOf(await pick()), more)
  expect([status, body['error'], body['id_token']]).toEqual([400, error, undefined])
})

test('a code is good once, also after a try that failed, and for a minute', async () => {
  const once = codeOf(await pick())
  expect((await redeem(once)).status).toBe(200)
  expect((await redeem(once)).body['error']).toBe('invalid_grant')
  const tried = codeOf(await pick())
  await redeem(tried, { code_verifier: 'w'.repeat(43) })
  expect((await redeem(tried)).body['error']).toBe('invalid_grant')
  const late = codeOf(await pick())
  ahead = 61_000
  expect((await redeem(late)).body['error']).toBe('invalid_grant')
  ahead = 0
})

test('tokens are asked for by a form in a POST, at this host alone', async () => {
  expect((await fetch(`${url}/token`)).status).toBe(405)
  expect((await fetch(`${url}/authorize`, { method: 'DELETE' })).status).toBe(405)
  expect((await fetch(`${url}/token`, { method: 'POST', body: '{}' })).status).toBe(400)
  const long = new URLSearchParams({ code: 'x'.repeat(20_000) })
  expect((await fetch(`${url}/token`, { method: 'POST', body: long })).status).toBe(400)
  const status = await new Promise((resolve, reject) => {
    const call = rawRequest(`${url}/authorize?${form(good)}`, { headers: { host: 'evil.example' } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    call.once('error', reject).end()
  })
  expect(status).toBe(421)
})
