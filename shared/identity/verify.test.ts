import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { beforeAll, expect, test } from 'vitest'
import { openKeys, type TokenRules, verifyToken } from './verify.ts'

const issuer = 'https://issuer.example'
const audience = 'self-service-agent'
const at = new Date('2026-01-02T03:04:05Z')
const seconds = at.getTime() / 1_000

let pair: Awaited<ReturnType<typeof generateKeyPair>>
let other: Awaited<ReturnType<typeof generateKeyPair>>
let rsa: Awaited<ReturnType<typeof generateKeyPair>>
let pss: Awaited<ReturnType<typeof generateKeyPair>>
let rules: TokenRules

beforeAll(async () => {
  pair = await generateKeyPair('EdDSA')
  other = await generateKeyPair('EdDSA')
  rsa = await generateKeyPair('RS256')
  pss = await generateKeyPair('PS256')
  const keys = [
    { ...(await exportJWK(pair.publicKey)), kid: 'one' },
    { ...(await exportJWK(rsa.publicKey)), kid: 'rsa' },
    { ...(await exportJWK(pss.publicKey)), kid: 'pss' },
  ]
  rules = { issuer, audience, keys: openKeys({ keys }), now: () => at }
})

const good = { sub: 'alice', iss: issuer, aud: audience, exp: seconds + 60, email: 'Alice@Example.com' }

function sign(claims: object, options: { key?: CryptoKey | Uint8Array; alg?: string; kid?: string } = {}) {
  const header = { alg: options.alg ?? 'EdDSA', kid: options.kid ?? 'one' }
  return new SignJWT(claims as JWTPayload).setProtectedHeader(header).sign(options.key ?? pair.privateKey)
}

test('a person is who the token says', async () => {
  expect(await verifyToken(await sign(good), rules)).toEqual({
    subject: 'alice',
    email: 'alice@example.com',
    scopes: [],
    kind: 'person',
  })
  const rsaToken = await sign(good, { key: rsa.privateKey, alg: 'RS256', kid: 'rsa' })
  expect(await verifyToken(rsaToken, rules)).toMatchObject({ subject: 'alice' })
})

test.each([
  ['service requests:act-for-others', ['service', 'requests:act-for-others'], 'service'],
  ['services', ['services'], 'person'],
  [['service', 7, null], ['service'], 'service'],
  [{ service: true }, [], 'person'],
])('scope %j', async (scope, scopes, kind) => {
  expect(await verifyToken(await sign({ ...good, scope }), rules)).toMatchObject({ scopes, kind })
  expect(await verifyToken(await sign({ ...good, scp: scope }), rules)).toMatchObject({ scopes, kind })
})

test.each([
  [{ email_verified: true }, 'alice@example.com'],
  [{ email_verified: false }, null],
  [{ email_verified: 'false' }, null],
  [{ email: 'not an address' }, null],
  [{ email: '\u212aate@example.com' }, null],
  [{ email: ['alice@example.com'] }, null],
  [{ email: undefined }, null],
])('address of %j', async (claims, email) => {
  expect(await verifyToken(await sign({ ...good, ...claims }), rules)).toMatchObject({ email })
})

test('30 seconds of clock difference are allowed, no more', async () => {
  expect(await verifyToken(await sign({ ...good, exp: seconds - 29 }), rules)).toMatchObject({ subject: 'alice' })
  expect(await verifyToken(await sign({ ...good, nbf: seconds + 29 }), rules)).toMatchObject({ subject: 'alice' })
  await refused(await sign({ ...good, exp: seconds - 31 }))
  await refused(await sign({ ...good, nbf: seconds + 31 }))
})

test.each([
  ['no subject', { sub: undefined }],
  ['an empty subject', { sub: '' }],
  ['a subject with a control character', { sub: 'alice\n' }],
  ['an endless subject', { sub: 'a'.repeat(256) }],
  ['the subject of an API key', { sub: 'api-key:hr' }],
  ['no end', { exp: undefined }],
  ['no issuer', { iss: undefined }],
  ['another issuer', { iss: 'https://issuer.example/' }],
  ['no audience', { aud: undefined }],
  ['another audience', { aud: 'something-else' }],
])('%s is refused', async (_name, claims) => refused(await sign({ ...good, ...claims })))

test('a token that nobody listed has signed is refused', async () => {
  await refused(new UnsecuredJWT(good).encode())
  await refused(await sign(good, { key: other.privateKey }))
  await refused(await sign(good, { key: other.privateKey, kid: 'unknown' }))
  await refused(
    await sign(good, { key: new TextEncoder().encode(await exportSPKI(rsa.publicKey)), alg: 'HS256', kid: 'rsa' }),
  )
  await refused(await sign(good, { key: pss.privateKey, alg: 'PS256', kid: 'pss' }))
  const [header, payload, signature] = (await sign(good)).split('.')
  const forged = Buffer.from(JSON.stringify({ ...good, sub: 'bob' })).toString('base64url')
  await refused(`${header}.${forged}.${signature}`)
  await refused(`${header}.${payload}.`)
  await refused('abc')
  await refused('')
})

test('keys that cannot be had are an outage, not a bad token', async () => {
  const token = await sign(good)
  let serve: 'nothing' | 'nonsense' | 'keys' = 'nothing'
  const keySet = JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'one' }] })
  const server = createServer((_request, response) => {
    if (serve === 'nothing') response.writeHead(500).end()
    else response.end(serve === 'nonsense' ? '{"keys": "none"}' : keySet)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  const remote = { ...rules, keys: openKeys(new URL(`http://127.0.0.1:${port}/jwks`)) }
  const outage = expect.objectContaining({ code: 'identity.keys-unavailable', status: 503 })
  await expect(verifyToken(token, remote)).rejects.toEqual(outage)
  serve = 'nonsense'
  await expect(verifyToken(token, remote)).rejects.toEqual(outage)
  serve = 'keys'
  expect(await verifyToken(token, remote)).toMatchObject({ subject: 'alice' })
  await new Promise((closed) => server.close(closed).closeAllConnections())
  expect(await verifyToken(token, remote)).toMatchObject({ subject: 'alice' })
  const gone = { ...rules, keys: openKeys(new URL(`http://127.0.0.1:${port}/jwks`)) }
  await expect(verifyToken(token, gone)).rejects.toEqual(outage)
})

test('a key set may lie in a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'keys-'))
  const file = pathToFileURL(join(folder, 'jwks.json'))
  expect(() => openKeys(file)).toThrow(expect.objectContaining({ code: 'identity.keys-unavailable' }))
  await writeFile(file, JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'one' }] }))
  const keys = openKeys(file)
  expect(await verifyToken(await sign(good), { ...rules, keys })).toMatchObject({ subject: 'alice' })
  await rm(folder, { recursive: true })
})

async function refused(token: string): Promise<void> {
  await expect(verifyToken(token, rules)).rejects.toMatchObject({ code: 'identity.invalid', status: 401 })
}
