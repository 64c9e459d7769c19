import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import { beforeAll, expect, test } from 'vitest'
import { mintToolToken, readPublicKeys, type ToolApproval, verifyToolToken } from './tool-token.ts'

const now = new Date('2026-11-24T08:00:00.500Z')
const approval: ToolApproval = {
  id: randomUUID(),
  tool: 'servicenow.open_help_request',
  argumentsHash: '0'.repeat(64),
  notAfter: new Date('2026-11-24T08:01:00.250Z'),
}
let key: JWK
let publicKey: JWK

beforeAll(async () => {
  const pair = await generateKeyPair('EdDSA', { extractable: true })
  key = await exportJWK(pair.privateKey)
  publicKey = await exportJWK(pair.publicKey)
})

const mint = (change: Partial<Parameters<typeof mintToolToken>[0]> = {}) =>
  mintToolToken({ person: 'Alice@Company.com', audience: 'servicenow', key, now, id: randomUUID(), ...change })
const verify = (token: string, at = now, keys = { keys: [publicKey] }) =>
  verifyToolToken(token, { audience: 'servicenow', keys, now: at })

test('a token says who it is for, and what was approved, to the millisecond', async () => {
  expect(await verify(await mint())).toEqual({ person: 'alice@company.com', approval: null })
  expect(await verify(await mint({ approval }))).toEqual({ person: 'alice@company.com', approval })
})

test('a token lives 60 seconds, give or take 5 for clocks', async () => {
  const token = await mint()
  const at = (seconds: number) => new Date(now.getTime() + seconds * 1000)
  await expect(verify(token, at(59))).resolves.toBeDefined()
  await expect(verify(token, at(66))).rejects.toMatchObject({ code: 'identity.invalid' })
  await expect(verify(token, at(-4))).resolves.toBeDefined()
  await expect(verify(token, at(-10))).rejects.toMatchObject({ code: 'identity.invalid' })
})

test('keys are rotated by their id', async () => {
  const other = await exportJWK((await generateKeyPair('EdDSA', { extractable: true })).publicKey)
  const keys = {
    keys: [
      { ...other, kid: 'old' },
      { ...publicKey, kid: 'new' },
    ],
  }
  await expect(verify(await mint({ key: { ...key, kid: 'new' } }), now, keys)).resolves.toBeDefined()
  await expect(verify(await mint({ key: { ...key, kid: 'old' } }), now, keys)).rejects.toMatchObject({
    code: 'identity.invalid',
  })
  expect(readPublicKeys(JSON.stringify(keys)).keys).toHaveLength(2)
  expect(readPublicKeys(JSON.stringify(publicKey)).keys).toEqual([publicKey])
})

test.each([
  ['no JSON', () => 'nonsense'],
  ['a private key', () => JSON.stringify(key)],
  ['a set with a private key', () => JSON.stringify({ keys: [publicKey, key] })],
  ['another kind of key', () => JSON.stringify({ kty: 'EC', crv: 'P-256', x: 'a', y: 'b' })],
  ['an empty set', () => '{"keys":[]}'],
])('%s is no public key setting', (_what, setting) => {
  expect(() => readPublicKeys(setting())).toThrow(expect.objectContaining({ code: 'identity.invalid' }))
})

test.each([
  ['unsigned', { alg: 'none' }, {}],
  ['an address with a query in it', {}, { sub: 'a^ORemail=b@company.com' }],
  ['no subject', {}, { sub: undefined }],
  ['no id', {}, { jti: undefined }],
  ['no end', {}, { exp: undefined }],
  ['a long life', {}, { iat: Math.floor(now.getTime() / 1000) - 3600 }],
  ['another issuer', {}, { iss: 'someone' }],
  [
    'an approval without a not-after',
    {},
    { approval: { id: approval.id, tool: 'a.b', arguments_hash: '0'.repeat(64) } },
  ],
])('a token with %s is not taken', async (_what, header, change) => {
  const seconds = Math.floor(now.getTime() / 1000)
  const claims = {
    iss: 'self-service-agent',
    aud: 'servicenow',
    sub: 'alice@company.com',
    jti: 'one',
    iat: seconds,
    exp: seconds + 60,
    ...change,
  }
  if ('alg' in header) {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    await expect(verify(`${part(header)}.${part(claims)}.`)).rejects.toMatchObject({ code: 'identity.invalid' })
    return
  }
  const token = await new SignJWT(JSON.parse(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'EdDSA' })
    .sign(await importJWK(key, 'EdDSA'))
  await expect(verify(token)).rejects.toMatchObject({ code: 'identity.invalid' })
})
