import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atOnce, openTestDoor, type TestDoor } from '../functions/ingress/test-door.ts'

let door: TestDoor
let token: string
beforeAll(async () => {
  door = await openTestDoor()
  token = await door.token('ops@example.com', { scopes: ['api-keys:manage', 'requests:act-for-others'] })
})
afterAll(() => door.close())

function run(...parameters: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(import.meta.dirname, 'api-keys.ts'), ...parameters],
      { env: { PATH: process.env['PATH'], API_URL: door.url, TOKEN: token } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}
const use = async (key: string) =>
  (await door.ask({ content: 'x', user_id: 'bob@example.com' }, { ...atOnce, authorization: `Bearer ${key}` })).status

test('a key is made, used, rotated, listed and revoked by the command, and is alone on standard output', async () => {
  expect((await run()).stdout).toBe('There are none.\n')
  const made = await run('--create', 'hr', '--scope', 'requests:act-for-others', '--days', '30')
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ssa_[0-9a-f]{32}_[\w-]{43}\n$/) })
  expect(made.stderr).toContain('shown this once')
  const key = made.stdout.trim()
  expect(await use(key)).toBe(202)
  const id = made.stderr.split(',')[0] ?? ''
  const rotated = (await run('--rotate', id, '--overlap-hours', '0')).stdout.trim()
  expect([await use(key), await use(rotated)]).toEqual([401, 202])
  const { stdout } = await run()
  expect(stdout).toContain(`${id}  api-key:hr  until `)
  expect(stdout).toContain('by ops@example.com  requests:act-for-others')
  for (const secret of [key, rotated]) expect(stdout).not.toContain(secret.slice(-43))
  expect(await run('--revoke', id)).toMatchObject({ code: 0, stdout: '' })
  expect(await use(rotated)).toBe(401)
  expect((await run()).stdout).toContain('revoked')
})

test('what it cannot do is one sentence', async () => {
  for (const [parameters, sentence] of [
    [['--create', 'a', '--revoke', 'b'], 'One thing at a time'],
    [['--create', 'a', '--days', 'x'], '--days takes a whole number'],
    [['--create', 'a', '--scope', 'admin'], 'scopes.0'],
    [['--create', 'a', '--scope', 'conversations:read'], 'you do not have the scope'],
    [['--rotate', '../me'], 'no id'],
  ] as const) {
    const { code, stdout, stderr } = await run(...parameters)
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(sentence)])
    expect(stderr.trim().split('\n')).toHaveLength(1)
  }
})
