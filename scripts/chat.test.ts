import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { openTestDoor, type TestDoor } from '../functions/ingress/test-door.ts'
import { plainText } from './chat/plain-text.ts'

let door: TestDoor
let agent: ReturnType<typeof setInterval>
let answers: Record<string, [string, 'answered' | 'failed']> = {}

beforeAll(async () => {
  door = await openTestDoor()
  // The other stages: whatever reaches the broker is answered.
  agent = setInterval(async () => {
    for (const event of door.broker.events.splice(0)) {
      const id = String(event['correlationid'])
      const { content, identity } = await door.rowOf(id)
      const [text, state] = answers[content] ?? [`${identity} said ${content}`, 'answered']
      if (text !== 'never') await door.answer(id, text, state)
    }
  }, 5)
})
afterAll(async () => {
  clearInterval(agent)
  await door.close()
})
afterEach(() => {
  answers = {}
})

function start(environment: Record<string, string>) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'chat.ts')], {
    env: {
      PATH: process.env['PATH'],
      DATA_DIR: door.issuerFolder,
      OIDC_ISSUER: door.issuer,
      API_URL: door.url,
      EMAIL: 'Alice@example.com',
      ...environment,
    },
    stdio: 'pipe',
  })
  const ran = { stdout: '', stderr: '' }
  child.stdout.on('data', (text) => {
    ran.stdout += text
  })
  child.stderr.on('data', (text) => {
    ran.stderr += text
  })
  const ended = once(child, 'close').then(([code]) => ({ code, ...ran }))
  return { child, ran, ended }
}

test('MESSAGES plays a conversation and prints it', async () => {
  answers = { yes: ['First\u001b[31m line\u0007\r\nsecond', 'answered'] }
  expect(await start({ MESSAGES: 'refresh | yes|3' }).ended).toEqual({
    code: 0,
    stdout: `you> refresh
agent> email:alice@example.com said refresh
you> yes
agent> First line
second
you> 3
agent> email:alice@example.com said 3
`,
    stderr: '',
  })
})

test('MESSAGES ends at a failed answer, with 1', async () => {
  answers = { yes: ['Something went wrong.', 'failed'] }
  const failed = await start({ MESSAGES: 'yes|more' }).ended
  expect(failed).toMatchObject({ code: 1, stdout: 'you> yes\nagent> Something went wrong.\n' })
})

test('MESSAGES shows what is refused and goes on, and ends with 1', async () => {
  expect(await start({ MESSAGES: 'refresh||3|\u200b' }).ended).toEqual({
    code: 1,
    stdout: `you> refresh
agent> email:alice@example.com said refresh
you> 
refused> content: the message is empty (400 request.malformed)
you> 3
agent> email:alice@example.com said 3
you> \u200b
refused> content: there is nothing to read in it (400 request.malformed)
`,
    stderr: '',
  })
})

test('a person types, becomes another, and leaves', async () => {
  const { child, ended } = start({})
  child.stdin.end('hello\n\n/reset\n/tokens\n/as nobody\n/as bob@example.com\nhello\n/nonsense\n/quit\nnever said\n')
  const { code, stdout, stderr } = await ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.match(/agent> .*/g)).toEqual([
    'agent> email:alice@example.com said hello',
    'agent> email:alice@example.com said reset',
    'agent> email:alice@example.com said tokens',
    'agent> email:bob@example.com said hello',
  ])
  expect(stdout).toContain('/as takes an e-mail address.')
  expect(stdout).toContain('There is no /nonsense.')
  expect(stdout).not.toContain('\u001b')
})

test('the end of the input is the end, with the last answer', async () => {
  const { child, ended } = start({})
  child.stdin.end('hello')
  expect(await ended).toMatchObject({ code: 0, stdout: expect.stringContaining('said hello') })
})

test.each(['SIGINT', 'SIGTERM'] as const)('%s leaves at once, also while an answer is awaited', async (signal) => {
  answers = { wait: ['never', 'answered'] }
  const { child, ran, ended } = start({})
  await vi.waitFor(() => expect(ran.stdout).toContain('you> '))
  child.stdin.write('wait\n')
  await vi.waitFor(() => expect(door.ingress.waiting()).toBe(1))
  child.kill(signal)
  expect(await ended).toMatchObject({ code: 0, stderr: '' })
  await vi.waitFor(() => expect(door.ingress.waiting()).toBe(0))
})

test.each([
  [
    { API_URL: 'http://127.0.0.1:1', MESSAGES: 'hello' },
    /^The API at http:\/\/127\.0\.0\.1:1 is not up: [^\n]*make demo\n$/,
  ],
  [{ DATA_DIR: '/nowhere', MESSAGES: 'hello' }, /^[^\n]*start the demo first: make demo\n$/],
  [{ EMAIL: 'alice' }, /^"alice" is not an e-mail address: EMAIL=alice.johnson@company.com\n$/],
  [{ API_URL: 'nonsense' }, /^API_URL is no address: nonsense\n$/],
  [{ TOKEN: 'nonsense', MESSAGES: 'hello' }, /identity\.invalid/],
])('%j is told in one sentence', async (environment, sentence) => {
  const { code, stderr } = await start(environment).ended
  expect(code).toBe(1)
  expect(stderr).toMatch(sentence)
})

test.each([
  ['plain äöü 😀 שלום\n\ttext', 'plain äöü 😀 שלום\n\ttext'],
  ['a\u001b[2Jb\u001b[1;31mc\u001b[0m', 'abc'],
  ['a\u001b]0;title\u0007b\u001b]8;;https://evil.example\u001b\\link\u001b]8;;\u001b\\', 'ablink'],
  ['a\u009b31mb\u009d0;t\u009cc', 'abc'],
  ['a\rb\r\nc\u0008\u0000\u007f', 'a\nb\nc'],
  ['a\u001b', 'a'],
  ['a\u202eb\u2066c', 'abc'],
  ['\u001b\u001b[31m', ''],
])('%j is shown as %j', (text, shown) => expect(plainText(text)).toBe(shown))
