import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type IssuerKey, openKey } from '../local/issuer/key.ts'
import { openKeys, verifyToken } from '../shared/identity/verify.ts'

let folder: string
let key: IssuerKey
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'token-'))
  key = await openKey(folder)
})
afterAll(() => rm(folder, { recursive: true }))

interface Ran {
  code: number
  stdout: string
  stderr: string
}

function token(parameters: string[], environment: Record<string, string> = {}): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(import.meta.dirname, 'token.ts'), ...parameters],
      { env: { PATH: process.env['PATH'], DATA_DIR: folder, ...environment } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

const rules = () => ({
  issuer: 'http://127.0.0.1:8091',
  audience: 'self-service-agent',
  keys: openKeys({ keys: [key.publicJwk] }),
})

test('only the token is printed, and it is good', async () => {
  const { code, stdout, stderr } = await token(['Alice@Example.com'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  expect(await verifyToken(stdout.trim(), rules())).toMatchObject({ email: 'alice@example.com', kind: 'person' })
})

test('scopes, a program and another issuer', async () => {
  const { stdout } = await token(
    ['--service', 'hr', '--scope', 'requests:act-for-others', '--scope', 'conversations:read'],
    { OIDC_ISSUER: 'https://issuer.example', OIDC_AUDIENCE: 'other' },
  )
  const caller = await verifyToken(stdout.trim(), { ...rules(), issuer: 'https://issuer.example', audience: 'other' })
  expect(caller).toEqual({
    subject: 'service:hr',
    email: null,
    scopes: ['service', 'requests:act-for-others', 'conversations:read'],
    kind: 'service',
  })
})

test('without a key file it says what to do', async () => {
  const { code, stdout, stderr } = await token(['alice@example.com'], { DATA_DIR: join(folder, 'none') })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^[^\n]*start the demo first: make demo\n$/)
})

test.each([
  [[]],
  [['alice']],
  [['a@example.com', 'b@example.com']],
  [['a@example.com', '--scope', 'admin']],
  [['--service', 'a b']],
  [['--nonsense']],
  [['']],
])('%j prints no token', async (parameters) => {
  const { code, stdout, stderr } = await token(parameters)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).not.toBe('')
  expect(stderr).not.toContain('    at ')
})
