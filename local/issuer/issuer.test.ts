import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startIssuer } from '../../functions/ingress/test-door.ts'
import { openKeys, verifyToken } from '../../shared/identity/verify.ts'
import { openKey, readKey } from './key.ts'
import { signToken } from './sign.ts'

let issuer: Awaited<ReturnType<typeof startIssuer>>
beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.stop())

const audience = 'self-service-agent'

test('the key is made once, for its owner alone, however many start at once', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'issuer-')), 'new', 'folder')
  expect(await readKey(folder)).toBeNull()
  const keys = await Promise.all(Array.from({ length: 8 }, () => openKey(folder)))
  expect(new Set(keys.map(({ kid }) => kid)).size).toBe(1)
  expect((await openKey(folder)).kid).toBe(keys[0]?.kid)
  expect(await readdir(folder)).toEqual(['issuer-key.json'])
  const file = join(folder, 'issuer-key.json')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), d: undefined }))
  await expect(readKey(folder)).rejects.toThrow('no private key')
  await rm(folder, { recursive: true })
})

test('it serves its public key and where that is, and nothing of the private one', async () => {
  const discovery = await fetch(`${issuer.url}/.well-known/openid-configuration`)
  const found = (await discovery.json()) as { issuer: string; jwks_uri: string }
  expect(found.issuer).toBe(issuer.url)
  const text = await (await fetch(found.jwks_uri)).text()
  const secret = JSON.parse(await readFile(join(issuer.folder, 'issuer-key.json'), 'utf8')) as { x: string; d: string }
  expect(JSON.parse(text)).toEqual({
    keys: [{ kty: 'OKP', crv: 'Ed25519', x: secret.x, kid: issuer.key.kid, alg: 'EdDSA', use: 'sig' }],
  })
  expect(text).not.toContain(secret.d)
})

test('its tokens are what verifyToken takes', async () => {
  const keys = openKeys(new URL(`${issuer.url}/.well-known/jwks.json`))
  const base = { issuer: issuer.url, audience, now: new Date() }
  const person = await signToken(issuer.key, { ...base, email: 'alice@example.com' })
  expect(await verifyToken(person, { issuer: issuer.url, audience, keys })).toEqual({
    subject: 'alice@example.com',
    email: 'alice@example.com',
    scopes: [],
    kind: 'person',
  })
  const service = await signToken(issuer.key, { ...base, email: null, service: 'hr', scopes: ['conversations:read'] })
  expect(await verifyToken(service, { issuer: issuer.url, audience, keys })).toEqual({
    subject: 'service:hr',
    email: null,
    scopes: ['service', 'conversations:read'],
    kind: 'service',
  })
  const later = new Date(Date.now() + 3_600_000 + 31_000)
  await expect(verifyToken(person, { issuer: issuer.url, audience, keys, now: () => later })).rejects.toMatchObject({
    code: 'identity.invalid',
  })
  expect(() => signToken(issuer.key, { ...base, email: null })).toThrow('a token needs')
})

test('there is no way to a token over HTTP', async () => {
  for (const path of [
    '/token',
    '/oauth/token',
    '/oauth2/token',
    '/authorize',
    '/issuer-key.json',
    '/.well-known/../issuer-key.json',
    '/',
  ]) {
    for (const method of ['GET', 'POST']) {
      const response = await fetch(`${issuer.url}${path}`, { method })
      expect({ path, method, status: response.status }).toEqual({ path, method, status: 404 })
    }
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    expect((await fetch(`${issuer.url}/.well-known/jwks.json`, { method })).status).toBe(405)
  }
})
