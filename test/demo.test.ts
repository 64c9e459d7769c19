import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import * as z from 'zod/mini'
import { conversation, finished } from '../functions/ingress/bodies.ts'
import { findFreePorts, whyNotFree } from '../local/platform/ports.ts'
import { refugeFor, refugeOf } from '../local/postgres/place.ts'
import { root } from './build.ts'
import { descendantsOf, stillRunning } from './processes.ts'

/** `make demo` and what a person types beside it, in a copy of the checkout with a data folder of its own. */
let checkout: string
/** Without build/: the demo has a build of its own. */
const folders = ['agents', 'functions', 'integrations', 'knative', 'local', 'scripts', 'shared', 'web']
let settings: Record<string, string>

interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

interface Running {
  child: ChildProcessByStdio<null, Readable, Readable>
  ran: Ran
  ended: Promise<Ran>
}

const running = new Set<Running>()

beforeAll(async () => {
  // Closed to all but its owner, as a clone in a home folder is.
  checkout = await realpath(await mkdtemp(join(tmpdir(), 'demo-')))
  for (const name of [...folders, 'Makefile', 'package.json', 'tsconfig.json']) {
    await cp(join(root, name), join(checkout, name), { recursive: true })
  }
  await symlink(join(root, 'node_modules'), join(checkout, 'node_modules'))
  const [api = 0, servicenow = 0] = await findFreePorts(2)
  settings = {
    API_PORT: String(api),
    SERVICENOW_PORT: String(servicenow),
    DEMO_PORT_BASE: String(await findBase()),
  }
})
afterEach(async () => {
  for (const { child, ended } of running) {
    child.kill('SIGKILL')
    await ended
  }
  running.clear()
})
afterAll(async () => {
  await run('scripts/clean.ts')
  await rm(checkout, { recursive: true, force: true })
})

/** Sixteen free ports in a row, below those that the system gives away. */
async function findBase(): Promise<number> {
  for (let base = 20_000 + (process.pid % 500) * 20; ; base += 20) {
    const why = await Promise.all(Array.from({ length: 16 }, (_, index) => whyNotFree(base + index)))
    if (why.every((one) => one === null)) return base
  }
}

function start(script: string, environment: Record<string, string> = {}, parameters: string[] = []): Running {
  return startProgram(process.execPath, [join(checkout, script), ...parameters], environment)
}

function startProgram(program: string, parameters: string[], environment: Record<string, string>): Running {
  const ran: Ran = { code: null, stdout: '', stderr: '' }
  const child = spawn(program, parameters, {
    cwd: checkout,
    env: { PATH: process.env['PATH'], ...settings, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.on('data', (text) => {
    ran.stdout += text
  })
  child.stderr.on('data', (text) => {
    ran.stderr += text
  })
  const ended = once(child, 'close').then(([code]) => Object.assign(ran, { code }))
  const one = { child, ran, ended }
  running.add(one)
  return one
}

async function run(script: string, environment: Record<string, string> = {}, parameters: string[] = []): Promise<Ran> {
  return start(script, environment, parameters).ended
}

/** Starts the demo and waits for its banner. */
async function startDemo(demo = start('scripts/demo.ts')): Promise<Running> {
  await vi.waitFor(
    () => {
      expect(demo.ran.stderr).toBe('')
      expect(demo.ran.stdout).toContain('Ready in ')
    },
    { timeout: 30_000, interval: 20 },
  )
  return demo
}

/** Stops the demo as Ctrl-C does, and sees that nothing of it is left. */
async function stopDemo(demo: Running, signal: 'SIGINT' | 'SIGTERM'): Promise<void> {
  const pids = await descendantsOf(demo.child.pid ?? 0)
  // Eleven processes of the platform, Postgres with its own, and its watcher.
  expect(pids.length).toBeGreaterThan(13)
  demo.child.kill(signal)
  const { code, stdout, stderr } = await demo.ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/Stopping …\n$/)
  await vi.waitFor(async () => expect(await stillRunning(pids)).toEqual([]), 5_000)
}

async function tokenOf(email: string): Promise<string> {
  const { code, stdout, stderr } = await run('scripts/token.ts', {}, [email])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout.trim()
}

const api = (path: string): string => `http://127.0.0.1:${settings['API_PORT']}${path}`

async function readTickets(): Promise<unknown[]> {
  const url = `http://127.0.0.1:${settings['SERVICENOW_PORT']}/api/now/table/sc_request`
  const response = await fetch(url, { headers: { 'x-sn-apikey': 'any' } })
  return z.object({ result: z.array(z.unknown()) }).parse(await response.json()).result
}

test('from make demo to Ctrl-C, and again with what was said and filed still there', async () => {
  const first = await startDemo()
  expect(first.ran.stdout).toMatch(
    /Ready in \d+\.\d s\. Ctrl-C stops everything; the data stays in \.data \(make clean removes it\)\./,
  )
  for (const shown of ['make chat EMAIL=', api('/openapi.json'), 'no language model', '.data/logs']) {
    expect(first.ran.stdout).toContain(shown)
  }

  // The call of the banner, with the token that its make token prints.
  const token = await tokenOf('alice.johnson@company.com')
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const response = await fetch(api('/api/v1/requests'), {
    method: 'POST',
    headers,
    body: '{"content": "I need a new laptop"}',
  })
  const answer = finished.parse(await response.json())
  expect(answer.response?.content).toContain('Latitude 7420')

  // It finds the demo whose ports were moved by itself.
  const chat = await run('scripts/chat.ts', {
    EMAIL: 'alice.johnson@company.com',
    MESSAGES: 'I would like to see the options|3|proceed',
  })
  expect(chat).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/\*\*REQ\d{7}\*\*/) })
  const tickets = await readTickets()
  expect(tickets).toHaveLength(1)

  const second = await run('scripts/demo.ts')
  expect(second).toMatchObject({ code: 1, stdout: '' })
  expect(second.stderr).toMatch(
    new RegExp(`^\nPort ${settings['API_PORT']} \\(ingress\\) is in use: [^\n]*another with API_PORT=…\n$`),
  )
  const clean = await run('scripts/clean.ts')
  expect(clean).toMatchObject({ code: 1, stdout: '' })
  expect(clean.stderr).toBe(
    `A demo is running from this checkout (process ${first.child.pid}): stop it first, with Ctrl-C there.\n`,
  )
  await stopDemo(first, 'SIGINT')

  const again = await startDemo()
  expect(await readTickets()).toEqual(tickets)
  const kept = await fetch(api(`/api/v1/conversations/${answer.session_id}`), {
    headers: { authorization: `Bearer ${await tokenOf('alice.johnson@company.com')}` },
  })
  const { messages } = conversation.parse(await kept.json())
  expect(messages).toHaveLength(8)
  expect(messages[0]?.content).toBe('I need a new laptop')
  await stopDemo(again, 'SIGTERM')

  expect(await databases()).toHaveLength(1)
  expect(await run('scripts/clean.ts')).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(await databases()).toEqual([])
}, 60_000)

/** Where the demo's database may be: below the checkout, or where root's Postgres can reach it. */
async function databases(): Promise<string[]> {
  const places = [join(checkout, '.data', 'postgres'), refugeOf(checkout)]
  const found = await Promise.all(
    places.map((place) =>
      stat(place).then(
        () => [place],
        () => [],
      ),
    ),
  )
  return found.flat()
}

test.each(['Starting Postgres', 'Starting the broker'])('Ctrl-C at "%s"', async (moment) => {
  const demo = start('scripts/demo.ts')
  await vi.waitFor(() => expect(demo.ran.stdout).toContain(moment), { timeout: 30_000, interval: 5 })
  const pids = await descendantsOf(demo.child.pid ?? 0)
  demo.child.kill('SIGINT')
  expect(await demo.ended).toMatchObject({ code: 0, stderr: '' })
  expect(demo.ran.stdout).not.toContain('Ready')
  await vi.waitFor(async () => expect(await stillRunning(pids)).toEqual([]), 5_000)
})

/** Sees that a demo has ended, with nothing left of it. */
async function seeEnd(demo: Running, pids: number[]): Promise<void> {
  await demo.ended
  await vi.waitFor(async () => expect(await stillRunning(pids)).toEqual([]), 5_000)
}

/** Numbers of the demo's functions by name. */
async function functionsOf(demo: Running): Promise<Map<string, number>> {
  const pids = await descendantsOf(demo.child.pid ?? 0)
  const names = pids.map(async (pid) => {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
    return [/(?:^|\0)FUNC_STAGE=(\w+)/.exec(environment)?.[1] ?? '', pid] as const
  })
  return new Map(await Promise.all(names))
}

/** The number of the demo's Postgres. */
async function postgresOf(): Promise<number> {
  const places = [join(checkout, '.data', 'postgres'), refugeFor(join(checkout, '.data', 'postgres'), checkout)]
  const texts = await Promise.all(
    places.map((place) => readFile(join(place, 'data', 'postmaster.pid'), 'utf8').catch(() => '')),
  )
  return Number.parseInt(texts.join(''), 10)
}

const makeDemo = 'exec make -s -o node_modules/.installed demo'

// Ctrl-C reaches the whole terminal; these are for those who tell make alone.
test.each(['SIGINT', 'SIGKILL'] as const)('make that gets %s takes the demo along', async (signal) => {
  const demo = await startDemo(startProgram('sh', ['-c', makeDemo], {}))
  const pids = await descendantsOf(demo.child.pid ?? 0)
  expect(pids.length).toBeGreaterThan(13)
  demo.child.kill(signal)
  await seeEnd(demo, pids)
  expect(demo.ran.stdout).toMatch(/Stopping …\n$/)
  await expect(stat(join(checkout, '.data', 'demo.json'))).rejects.toThrow(/ENOENT/)
})

test('a closed terminal ends the demo', async () => {
  const demo = await startDemo(startProgram('sh', ['-c', makeDemo], {}))
  const pids = await descendantsOf(demo.child.pid ?? 0)
  demo.child.stdout.destroy()
  demo.child.stderr.destroy()
  process.kill(await demoIn(demo), 'SIGHUP')
  await seeEnd(demo, pids)
  await expect(stat(join(checkout, '.data', 'demo.json'))).rejects.toThrow(/ENOENT/)
})

/** The number of the demo itself below make. */
async function demoIn(running: Running): Promise<number> {
  const { pid } = z
    .object({ pid: z.int() })
    .parse(JSON.parse(await readFile(join(checkout, '.data/demo.json'), 'utf8')))
  expect(await descendantsOf(running.child.pid ?? 0)).toContain(pid)
  return pid
}

test('behind nohup it outlives its terminal; a second Ctrl-C waits for no process that hangs', async () => {
  const demo = await startDemo(startProgram('sh', ['-c', `trap '' HUP; ${makeDemo}`], {}))
  const pids = await descendantsOf(demo.child.pid ?? 0)
  const pid = await demoIn(demo)
  process.kill(pid, 'SIGHUP')
  const response = await fetch(api('/api/v1/requests'), { method: 'POST', body: '{}' })
  expect(response.status).toBe(401)
  expect(demo.ran.stdout).not.toContain('Stopping')

  process.kill((await functionsOf(demo)).get('keeper') ?? expect.fail('there is no keeper'), 'SIGSTOP')
  const asked = performance.now()
  process.kill(pid, 'SIGINT')
  // Later than one Ctrl-C that arrives twice.
  await pause(700)
  process.kill(pid, 'SIGINT')
  await seeEnd(demo, pids)
  expect(performance.now() - asked).toBeLessThan(4_500)
  expect(demo.ran).toMatchObject({ code: 0, stderr: '' })
})

test('a database and a function that are killed come back with one sentence each, three times within a minute', async () => {
  const demo = await startDemo()
  const pids = await descendantsOf(demo.child.pid ?? 0)
  const banner = demo.ran.stdout.length
  const said = () => demo.ran.stdout.slice(banner)
  const sentences = (name: string) => `${name} ended (SIGKILL); it is started again.\n${name} is up again.\n`
  const chat = () => run('scripts/chat.ts', { EMAIL: 'maria.garcia@company.com', MESSAGES: 'reset|refresh' })

  process.kill(await postgresOf(), 'SIGKILL')
  await vi.waitFor(() => expect(said()).toBe(sentences('Postgres')), 10_000)
  expect(await chat()).toMatchObject({ code: 0, stderr: '' })
  process.kill((await functionsOf(demo)).get('agent') ?? expect.fail('there is no agent'), 'SIGKILL')
  await vi.waitFor(() => expect(said()).toBe(sentences('Postgres') + sentences('agent')), 10_000)
  expect(await chat()).toMatchObject({ code: 0, stderr: '' })

  process.kill(await postgresOf(), 'SIGKILL')
  await vi.waitFor(() => expect(said().split('Postgres is up again.')).toHaveLength(3), 10_000)
  process.kill(await postgresOf(), 'SIGKILL')
  await seeEnd(demo, pids)
  expect(demo.ran.code).toBe(1)
  expect(demo.ran.stderr).toMatch(
    /^\nPostgres ended \(SIGKILL\), the third failure within a minute: it is not started again\. Its log is [^\n]*make demo starts it again with its data\.\n$/,
  )
})

test('any port that is taken is named, and how to move it', async () => {
  const inner = String(Number(settings['DEMO_PORT_BASE']) + 1)
  for (const [port, name, setting] of [
    [settings['SERVICENOW_PORT'] ?? '', 'servicenowMock', 'SERVICENOW_PORT'],
    [inner, 'broker', 'DEMO_PORT_BASE'],
  ] as const) {
    const stranger = createServer().listen(Number(port), '127.0.0.1')
    await once(stranger, 'listening')
    try {
      const { code, stdout, stderr } = await run('scripts/demo.ts')
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toMatch(new RegExp(`^\nPort ${port} \\(${name}\\) is in use: [^\n]*another with ${setting}=…\n$`))
    } finally {
      stranger.close()
    }
  }
})

test.each([
  [
    { LLM_URL: 'http://127.0.0.1:1/v1', LLM_MODEL: 'any' },
    /^\nNothing usable answers at http:\/\/127\.0\.0\.1:1[^\n]*\n$/,
  ],
  [{ LLM_URL: 'localhost', LLM_MODEL: 'any' }, /^\nLLM_URL is not a URL[^\n]*\n$/],
  [{ LLM_URL: 'http://127.0.0.1:1/v1' }, /^\nLLM_URL is set but LLM_MODEL is not[^\n]*\n$/],
  [{ API_PORT: 'eighty' }, /^\nAPI_PORT is "eighty": it takes a whole number[^\n]*\n$/],
  [
    { API_PORT: '18090', SERVICENOW_PORT: '18090' },
    /^\nPort 18090 is asked for twice, by ingress and servicenowMock[^\n]*\n$/,
  ],
  [{ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }, /^\n[^\n]*127\.0\.0\.1:1[^\n]*\n$/],
])('%j is told in one sentence', async (environment, sentence) => {
  const { code, stderr } = await run('scripts/demo.ts', environment)
  expect(stderr).toMatch(sentence)
  expect(code).toBe(1)
})

test('a data folder that cannot be made is named', async () => {
  await writeFile(join(checkout, 'file'), '')
  const folder = join(checkout, 'file', 'data')
  const { code, stderr } = await run('scripts/demo.ts', { DEMO_DATA_DIR: folder })
  expect(code).toBe(1)
  expect(stderr).toMatch(new RegExp(`^\nThe demo cannot keep its data in ${folder}: [^\n]*DEMO_DATA_DIR=…\n$`))
})

test('make token prints a token and nothing else', async () => {
  await mkdir(join(checkout, '.data'), { recursive: true })
  const issuer = start('local/issuer/main.ts', { PORT: '0', DATA_DIR: join(checkout, '.data', 'issuer') })
  await vi.waitFor(() => expect(issuer.ran.stdout).toContain('issuer listening'), 5_000)
  // -o: what is installed is good, whatever its time says.
  const make = (target: string) =>
    startProgram('make', ['-s', '-o', 'node_modules/.installed', ...target.split(' ')], {}).ended
  const { code, stdout, stderr } = await make('token EMAIL=alice.johnson@company.com')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
})
