import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { openTestDoor, type TestDoor } from '../../functions/ingress/test-door.ts'
import { renderTerminal } from './testing/render-terminal.ts'

/** The chat on a real pseudo-terminal: what comes unasked is shown, and the line that is being typed stays whole. */
const columns = 30
const slowly = { timeout: 20_000, interval: 20 }
let door: TestDoor
let agent: ReturnType<typeof setInterval>
const left: (() => void)[] = []
beforeAll(async () => {
  door = await openTestDoor()
  agent = setInterval(async () => {
    for (const event of door.broker.events.splice(0)) {
      const id = String(event['correlationid'])
      await door.answer(id, `You said: ${(await door.rowOf(id)).content}`)
    }
  }, 5)
})
afterEach(() => {
  for (const leave of left.splice(0)) leave()
})
afterAll(async () => {
  clearInterval(agent)
  await door.close()
})

/** Runs the chat under `script`, which every Linux and macOS has. */
function openTerminal(email: string) {
  const command = `stty cols ${columns}; exec "${process.execPath}" "${join(import.meta.dirname, '../chat.ts')}"`
  const linux = process.platform === 'linux'
  const child = spawn('script', linux ? ['-qefc', command, '/dev/null'] : ['-q', '/dev/null', 'sh', '-c', command], {
    env: {
      PATH: process.env['PATH'],
      TERM: 'xterm',
      DATA_DIR: door.issuerFolder,
      OIDC_ISSUER: door.issuer,
      API_URL: door.url,
      EMAIL: email,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let written = ''
  child.stdout.on('data', (text) => {
    written += text
  })
  left.push(() => child.kill('SIGKILL'))
  const screen = () => renderTerminal(written, columns)
  return {
    type: (text: string) => void child.stdin.write(text),
    screen,
    /** Waits until the last lines of the screen are these. */
    shows: (...expected: string[]) =>
      vi.waitFor(() => expect(screen().slice(-expected.length)).toEqual(expected), slowly),
    ended: once(child, 'close').then(([code]) => code),
  }
}

/** Has somebody else asked for what a person wants, as an agent does. */
async function askBoss(email: string): Promise<string> {
  const authorization = `Bearer ${await door.token(email)}`
  const { body } = await door.ask({ content: 'forty seats' }, { authorization, prefer: 'wait=5' })
  const id = randomUUID()
  await door.store.database`
    insert into approvals (id, session, turn, step, tool, arguments, arguments_hash, person, expires_at, created_at,
      question, agent, continuation, request)
    values (${id}, ${body.session_id}, ${randomUUID()}, 'approve', 'x.y', '{}', 'h', 'boss@example.com',
      now() + interval '1 day', now(), 'Forty seats?', 'software-licence', '{}', ${body.request_id})`
  return id
}

async function decide(id: string, decision: 'approve' | 'decline'): Promise<void> {
  const authorization = `Bearer ${await door.token('boss@example.com')}`
  expect((await door.post(`/api/v1/approvals/${id}`, { decision }, { authorization })).status).toBe(200)
}

/** Counts how often the API was asked what is waited for. */
function countLooks(): () => number {
  const asked = vi.spyOn(door.ingress, 'fetch')
  left.push(() => asked.mockRestore())
  return () => asked.mock.calls.filter(([request]) => request.url.endsWith('/awaited')).length
}
/** Waits until a look that begins from here on is over: what is decided then is news to the chat. */
async function looksAgain(looks: () => number): Promise<void> {
  const before = looks()
  await vi.waitFor(() => expect(looks()).toBeGreaterThan(before + 1), slowly)
}

test('an answer that comes unasked stands above the line that is being typed, which goes on', async () => {
  const old = await askBoss('ann@example.com')
  await decide(old, 'decline')
  const [first, second] = [await askBoss('ann@example.com'), await askBoss('ann@example.com')]
  const looks = countLooks()
  const terminal = openTerminal('ann@example.com')
  await terminal.shows('you>')
  await looksAgain(looks)
  // Longer than a line of the terminal, and pasted.
  terminal.type('one two three four five six seven')
  await terminal.shows('you> one two three four five s', 'ix seven')
  await decide(first, 'approve')
  await terminal.shows('agent> You said: Approved.', 'you> one two three four five s', 'ix seven')
  // Up into the first line and back into the second.
  terminal.type('\u001b[D'.repeat(14) + '\u001b[C'.repeat(9))
  await decide(second, 'decline')
  const told = ['agent> You said: Approved.', 'agent> You said: Declined.']
  await terminal.shows(...told, 'you> one two three four five s', 'ix seven')
  terminal.type('and \r')
  await terminal.shows('agent> You said: one two three', ' four five six and seven', 'you>')
  // What was decided before the chat began is not told again, and nothing is told twice.
  expect(terminal.screen().filter((line) => /Declined|Approved/.test(line))).toEqual(told)
  terminal.type('/quit\r')
  expect(await terminal.ended).toBe(0)
})

test('what is asked of others during the chat is waited for, also as somebody else', async () => {
  const looks = countLooks()
  const terminal = openTerminal('ann@example.com')
  await terminal.shows('you>')
  terminal.type('/as eve@example.com\r')
  await terminal.shows('You are eve@example.com.', 'you>')
  const open = await askBoss('eve@example.com')
  terminal.type('hello\r')
  await terminal.shows('agent> You said: hello', 'you>')
  await looksAgain(looks)
  await decide(open, 'decline')
  await terminal.shows('agent> You said: Declined.', 'you>')
  terminal.type('\u0004')
  expect(await terminal.ended).toBe(0)
})

test('a chat in which nothing is waited for does not ask the API again', async () => {
  const looks = countLooks()
  const terminal = openTerminal('tim@example.com')
  await terminal.shows('you>')
  await vi.waitFor(() => expect(looks()).toBe(1), slowly)
  terminal.type('hello\r')
  await terminal.shows('agent> You said: hello', 'you>')
  await vi.waitFor(() => expect(looks()).toBe(2), slowly)
  terminal.type('\u0003')
  expect(await terminal.ended).toBe(0)
  expect(looks()).toBe(2)
})
