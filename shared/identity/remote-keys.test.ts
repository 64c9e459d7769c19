import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openKeys, type TokenRules, verifyToken } from './verify.ts'

const issuer = 'https://issuer.example'
const audience = 'self-service-agent'
const start = Date.parse('2026-01-02T03:04:05Z')

/** An issuer whose keys change, and a clock. */
let at: number
let calls: number
let answer: () => [status: number, body: unknown]
let rules: TokenRules
let close: () => Promise<unknown>
const unavailable = { code: 'identity.keys-unavailable', status: 503 }
const invalid = { code: 'identity.invalid', status: 401 }

beforeEach(async () => {
  at = start
  calls = 0
  const server = createServer((_request, response) => {
    calls += 1
    const [status, body] = answer()
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end(JSON.stringify(body))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const now = () => new Date(at)
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`)
  rules = { issuer, audience, keys: openKeys(url, now), now }
  close = () => new Promise((closed) => server.close(closed).closeAllConnections())
})
afterEach(() => close())

async function makeKey(kid: string) {
  const pair = await generateKeyPair('EdDSA')
  const jwk = { ...(await exportJWK(pair.publicKey)), kid }
  const sign = () =>
    new SignJWT({ sub: 'alice', iss: issuer, aud: audience, exp: at / 1_000 + 60 })
      .setProtectedHeader({ alg: 'EdDSA', kid })
      .sign(pair.privateKey)
  return { jwk, verify: async () => (await verifyToken(await sign(), rules)).subject }
}

test('a new key is found by one more look, and one that is taken back is gone after ten minutes', async () => {
  const [old, young] = [await makeKey('old'), await makeKey('young')]
  answer = () => [200, { keys: [old.jwk] }]
  expect(await old.verify()).toBe('alice')
  at += 31_000
  answer = () => [200, { keys: [old.jwk, young.jwk] }]
  expect(await Promise.all([young.verify(), young.verify(), young.verify()])).toEqual(['alice', 'alice', 'alice'])
  expect(calls).toBe(2)
  answer = () => [200, { keys: [young.jwk] }]
  expect(await old.verify()).toBe('alice')
  at += 600_000
  await expect(old.verify()).rejects.toMatchObject(invalid)
  expect(calls).toBe(3)
  expect(await young.verify()).toBe('alice')
})

test('whoever makes key ids up has us ask once in half a minute', async () => {
  const [known, strange] = [await makeKey('known'), await makeKey('strange')]
  answer = () => [200, { keys: [known.jwk] }]
  expect(await known.verify()).toBe('alice')
  for (let tries = 0; tries < 20; tries += 1) await expect(strange.verify()).rejects.toMatchObject(invalid)
  expect(calls).toBe(1)
  at += 30_000
  for (let tries = 0; tries < 20; tries += 1) await expect(strange.verify()).rejects.toMatchObject(invalid)
  expect(calls).toBe(2)
})

test('with the issuer away its last keys go on for an hour, and no unknown key is called wrong', async () => {
  const [known, strange] = [await makeKey('known'), await makeKey('strange')]
  answer = () => [200, { keys: [known.jwk] }]
  expect(await known.verify()).toBe('alice')
  answer = () => [503, {}]
  at += 601_000
  for (let tries = 0; tries < 20; tries += 1) expect(await known.verify()).toBe('alice')
  for (let tries = 0; tries < 20; tries += 1) await expect(strange.verify()).rejects.toMatchObject(unavailable)
  expect(calls).toBe(2)
  at = start + 3_599_000
  expect(await known.verify()).toBe('alice')
  at = start + 3_600_000
  await expect(known.verify()).rejects.toMatchObject(unavailable)
  await expect(known.verify()).rejects.toMatchObject(unavailable)
  answer = () => [200, { keys: [known.jwk] }]
  expect(await known.verify()).toBe('alice')
})

test.each([
  ['a redirection', [302, {}]],
  ['no key set', [200, { keys: 'none' }]],
  ['an error', [500, {}]],
] as const)('%s gives no keys, and the next call asks again', async (_name, wrong) => {
  const known = await makeKey('known')
  answer = () => [...wrong]
  await expect(known.verify()).rejects.toMatchObject(unavailable)
  answer = () => [200, { keys: [known.jwk] }]
  expect(await known.verify()).toBe('alice')
})
