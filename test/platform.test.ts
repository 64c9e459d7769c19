import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import * as z from 'zod/mini'
import { type bodies, conversation, finished, takenAttachment } from '../functions/ingress/bodies.ts'
import { readKey } from '../local/issuer/key.ts'
import { signToken } from '../local/issuer/sign.ts'
import type { Child } from '../local/platform/child.ts'
import { type PlatformSettings, type Ports, planProcesses, portNames } from '../local/platform/plan.ts'
import { makeToolIdentity, type Platform, startPlatform } from '../local/platform/platform.ts'
import { findFreePorts } from '../local/platform/ports.ts'
import { ensureBuild, root } from './build.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { stillRunning } from './processes.ts'

/** The whole system as the processes that it is, over HTTP with real tokens. */
const functions = ['normalize', 'route', 'agent', 'dispatch', 'keeper', 'servicenow', 'ingress'] as const
/** What an event reaches, by way of the broker alone. */
const stages = ['normalize', 'route', 'agent', 'dispatch'] as const

let db: TestDatabase
let data: string
let settings: PlatformSettings
let platform: Platform
/** What the platform said since it was up. */
const sentences: string[] = []

beforeAll(async () => {
  await ensureBuild()
  db = await createTestDatabase()
  data = await mkdtemp(join(tmpdir(), 'platform-'))
  settings = await newSettings(db.url, data)
  platform = await startPlatform(settings, { progress: (sentence) => sentences.push(sentence) })
  sentences.length = 0
})
afterAll(async () => {
  await platform?.stop()
  await db?.drop()
  await rm(data, { recursive: true, force: true })
})

async function newSettings(databaseUrl: string, folder: string): Promise<PlatformSettings> {
  const numbers = await findFreePorts(portNames.length)
  const ports = Object.fromEntries(portNames.map((name, index) => [name, numbers[index]])) as Record<
    keyof Ports,
    number
  >
  const toolIdentity = makeToolIdentity()
  return { root, data: folder, ports, databaseUrl, llm: null, servicenow: null, toolIdentity }
}

const at = (name: keyof Ports): string => `http://127.0.0.1:${settings.ports[name]}`

function childOf(name: string): Child {
  const child = platform.children.find((one) => one.name === name)
  if (child === undefined) throw new Error(`the platform has no process ${name}`)
  return child
}

async function tokenOf(email: string): Promise<string> {
  const key = await readKey(join(data, 'issuer'))
  if (key === null) throw new Error('the issuer has no key')
  return signToken(key, { issuer: at('issuer'), audience: 'self-service-agent', email, now: new Date() })
}

async function post(email: string, content: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${at('ingress')}/api/v1/requests`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await tokenOf(email)}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ content } satisfies z.input<(typeof bodies)['generic']>),
  })
}

/** Says something and waits for the answer. */
async function say(email: string, content: string): Promise<string> {
  const response = await post(email, content)
  expect(response.status).toBe(200)
  const { status, response: answer } = finished.parse(await response.json())
  expect(status).toBe('completed')
  return answer?.content ?? ''
}

const rows = z.object({ result: z.array(z.record(z.string(), z.object({ display_value: z.string() }))) })

/** What ServiceNow itself has of a ticket: the person, and the field of its item. */
async function ticketOf(answer: string, field: string) {
  const [number] = answer.match(/REQ\d{7}/) ?? expect.fail(`there is no ticket number in: ${answer}`)
  const read = async (table: string, query: string) => {
    const url = `${at('servicenowMock')}/api/now/table/${table}?sysparm_display_value=all&sysparm_query=${query}`
    const response = await fetch(url, { headers: { 'x-sn-apikey': 'any' } })
    const { result } = rows.parse(await response.json())
    expect(result).toHaveLength(1)
    return (name: string) => result[0]?.[name]?.display_value
  }
  const request = await read('sc_request', `number=${number}`)
  const item = await read('sc_req_item', `request.number=${number}`)
  return { for: request('requested_for'), title: request('short_description'), value: item(`variables.${field}`) }
}

const counts = z.object({ delivered: z.int(), pending: z.int(), deadLettered: z.int(), dropped: z.int() })
const brokerStatus = z.object({ triggers: z.record(z.string(), counts) })

/** The broker's counts by trigger, once nothing is under way. */
async function deliveries() {
  return vi.waitFor(async () => {
    const { triggers } = brokerStatus.parse(await (await fetch(`${at('broker')}/status`)).json())
    const of = Object.fromEntries(stages.map((name) => [name, counts.parse(triggers[`self-service-agent/${name}`])]))
    for (const name of stages) expect(of[name]).toMatchObject({ pending: 0, deadLettered: 0, dropped: 0 })
    return (name: (typeof stages)[number]) => of[name]?.delivered ?? 0
  }, 5_000)
}

/** Does something that asks the model, whose next answer never comes; `hanging` resolves once it was asked. */
function whileModelHangs<T>(work: () => Promise<T>): { hanging: Promise<void>; done: Promise<T> } {
  const faults = async (init: RequestInit = {}) => (await fetch(`${at('model')}/admin/faults`, init)).json()
  const set = faults({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'hang', next: 1 }),
  })
  const done = set.then(work)
  const hanging = set.then(() => vi.waitFor(async () => expect(await faults()).toEqual({ kind: null, next: 0 }), 5_000))
  return { hanging, done }
}

test('the chat page is there, and its sign-in leads to the people of the demo', async () => {
  const page = await fetch(at('ingress'))
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  const [script] = (await page.text()).match(/\/assets\/script-[0-9a-f]{12}\.js/) ?? expect.fail('it names no script')
  expect((await fetch(`${at('ingress')}${script}`)).status).toBe(200)
  const leads = await fetch(`${at('ingress')}/sign-in`, { redirect: 'manual' })
  const location = leads.headers.get('location') ?? ''
  expect(location.startsWith(`${at('issuer')}/authorize?`)).toBe(true)
  expect(await (await fetch(location)).text()).toContain('alice.johnson@company.com')
})

describe('processes', () => {
  test('each function is one of its own', async () => {
    const pids = functions.map((name) => childOf(name).process.pid ?? 0)
    expect(new Set([...pids, process.pid]).size).toBe(functions.length + 1)
    expect(await stillRunning(pids)).toEqual(pids)
  })

  test('a stage has the address of no other, nor of the broker', () => {
    for (const name of stages) {
      const plan = planProcesses(settings).find((one) => one.name === name)
      const { PORT, DATABASE_URL, ...environment } = plan?.environment ?? expect.fail(`nobody plans ${name}`)
      for (const other of [...stages, 'keeper', 'ingress', 'broker'] as const) {
        expect(JSON.stringify(environment)).not.toContain(`:${settings.ports[other]}`)
      }
    }
  })
})

describe('conversations', () => {
  test('a laptop refresh, from the first word to the ticket, goes through the broker stage by stage', async () => {
    const earlier = await deliveries()
    const alice = 'alice.johnson@company.com'
    expect(await say(alice, 'refresh')).toMatch(/Alice Johnson.*Latitude 7420.*You are eligible/s)
    expect(await say(alice, 'I would like to see the options')).toContain('3. Lenovo ThinkPad T14s Gen 5 AMD')
    expect(await say(alice, '3')).toMatch(/lenovo_think_pad_t_14_s_gen_5_amd.*\(yes or no\)/s)
    expect(await ticketOf(await say(alice, 'proceed'), 'laptop_choices')).toEqual({
      for: 'Alice Johnson',
      title: 'Laptop refresh',
      value: 'lenovo_think_pad_t_14_s_gen_5_amd',
    })
    const later = await deliveries()
    expect(later('normalize') - earlier('normalize')).toBe(4)
    expect(later('dispatch') - earlier('dispatch')).toBe(4)
    // Each message, each finished turn, and the router's hand-off.
    expect(later('route') - earlier('route')).toBe(9)
    expect(later('agent') - earlier('agent')).toBeGreaterThanOrEqual(5)
  })

  test('who is not eligible is warned and may go on', async () => {
    const john = 'john.doe@company.com'
    expect(await say(john, 'I need a new laptop')).toMatch(/not eligible.*36 months.*extra approval/s)
    await say(john, 'go on anyway')
    expect(await say(john, 'MacBook Air M2')).toContain('extra approval')
    const answer = await say(john, 'yes please')
    expect(answer).toContain('extra approval')
    expect(await ticketOf(answer, 'laptop_choices')).toMatchObject({
      for: 'John Doe',
      value: 'apple_mac_book_air_m_2',
    })
  })

  test('a software licence', async () => {
    const maria = 'maria.garcia@company.com'
    const question = await say(maria, 'I need 3 seats of Figma on CC-1234 because we design the new web shop')
    expect(question).toMatch(/Figma.*540.*\(yes or no\)/s)
    const answer = await say(maria, 'yes')
    expect(await ticketOf(answer, 'product')).toMatchObject({ for: 'Maria Garcia', title: 'Software licence' })
    expect(await ticketOf(answer, 'seats')).toMatchObject({ value: '3' })
  })

  test('a question that the documents answer, and one that goes to a person', async () => {
    const oliver = 'oliver.smith@company.com'
    expect(await say(oliver, 'I forgot my password')).toMatch(/\[1\].*Did that help/s)
    await say(oliver, 'yes')
    await say(oliver, 'IT help')
    const question = await say(oliver, 'why is the coffee machine in the kitchen purple')
    expect(question).toMatch(/do not answer.*coffee machine.*\(yes or no\)/s)
    expect(await ticketOf(await say(oliver, 'yes'), 'summary')).toEqual({
      for: 'Oliver Smith',
      title: 'Help from the service desk',
      value: 'why is the coffee machine in the kitchen purple',
    })
  })
})

describe('the door', () => {
  test('without waiting, the answer is where Location says', async () => {
    const email = 'yuki.tanaka@company.com'
    const response = await post(email, 'refresh', { prefer: 'respond-async' })
    expect(response.status).toBe(202)
    const location = response.headers.get('location') ?? ''
    expect(location).toMatch(/^\/api\/v1\/requests\/[0-9a-f-]{36}$/)
    const headers = { authorization: `Bearer ${await tokenOf(email)}`, prefer: 'wait=20' }
    const answer = await fetch(`${at('ingress')}${location}`, { headers })
    expect(answer.status).toBe(200)
    const { request_id, response: said } = finished.parse(await answer.json())
    expect(location).toContain(request_id)
    expect(said?.content).toContain('XPS 13 9310')
    const stranger = { authorization: `Bearer ${await tokenOf('john.doe@company.com')}` }
    expect((await fetch(`${at('ingress')}${location}`, { headers: stranger })).status).toBe(404)
  })

  test('the same Idempotency-Key is the same request', async () => {
    const email = 'carlos.rodriguez@company.com'
    const earlier = await deliveries()
    const headers = { 'idempotency-key': '"a first laptop"' }
    const [one, two] = [await post(email, 'hello', headers), await post(email, 'hello', headers)]
    const first = finished.parse(await one.json())
    expect(first.status).toBe('completed')
    expect(finished.parse(await two.json())).toEqual(first)
    expect((await deliveries())('normalize') - earlier('normalize')).toBe(1)
    expect((await post(email, 'something else', headers)).status).toBe(422)
  })

  test('a file goes to the object store, with a message into the conversation, and back to whose it is', async () => {
    const email = 'chloe.martin@company.com'
    const headers = { authorization: `Bearer ${await tokenOf(email)}` }
    const sent = await fetch(`${at('ingress')}/api/v1/attachments?name=notes.txt`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'text/plain' },
      body: 'what I see on the screen',
    })
    expect(sent.status).toBe(201)
    const { id } = takenAttachment.parse(await sent.json())
    const asked = await fetch(`${at('ingress')}/api/v1/requests`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ content: 'hello', attachments: [id] }),
    })
    const { session_id } = finished.parse(await asked.json())
    const read = await fetch(`${at('ingress')}/api/v1/conversations/${session_id}`, { headers })
    expect(conversation.parse(await read.json()).messages[0]?.attachments).toMatchObject([{ id, name: 'notes.txt' }])
    const file = await fetch(`${at('ingress')}${sent.headers.get('location')}`, { headers })
    expect(await file.text()).toBe('what I see on the screen')
    const stranger = { authorization: `Bearer ${await tokenOf('john.doe@company.com')}` }
    expect((await fetch(`${at('ingress')}${sent.headers.get('location')}`, { headers: stranger })).status).toBe(404)
  })

  test('no token, no answer', async () => {
    const response = await fetch(`${at('ingress')}/api/v1/requests`, { method: 'POST', body: '{"content":"hello"}' })
    expect(response.status).toBe(401)
  })
})

test('no function holds more than two connections, however many ask at once', async () => {
  const most = new Map<string, number>()
  let busy = true
  const watching = (async () => {
    while (busy) {
      const held = await db.database<{ name: string; count: number }[]>`
        select application_name as name, count(*)::int as count from pg_stat_activity
        where datname = current_database() group by 1`
      for (const { name, count } of held) most.set(name, Math.max(count, most.get(name) ?? 0))
      await pause(5)
    }
  })()
  const people = Array.from({ length: 40 }, (_, index) => `employee.${index}@company.com`)
  const answers = await Promise.all(people.map((email) => say(email, 'hello')))
  busy = false
  await watching
  for (const answer of answers) expect(answer).toContain('Hello')
  for (const name of ['normalize', 'route', 'agent', 'dispatch', 'ingress']) {
    expect(most.get(name), name).toBeGreaterThan(0)
    expect(most.get(name), name).toBeLessThanOrEqual(2)
  }
})

test('an agent killed in mid-turn: the broker tries again and the one started in its place answers', async () => {
  const answering = whileModelHangs(() =>
    say('isabella.mueller@company.com', 'would you please order a newer notebook for me'),
  )
  await answering.hanging

  const old = childOf('agent')
  old.process.kill('SIGKILL')
  expect(await old.ended).toBe('SIGKILL')
  await vi.waitFor(
    () => expect(sentences).toEqual(['agent ended (SIGKILL); it is started again.', 'agent is up again.']),
    10_000,
  )
  expect(childOf('agent').process.pid).not.toBe(old.process.pid)
  expect(await readFile(join(data, 'logs', 'agent.log'), 'utf8')).toMatch(/listening.*\n.*listening/)

  expect(await answering.done).toContain('Isabella Mueller')
  const said = await db.database<{ role: string }[]>`
    select m.role from messages m join sessions s on s.id = m.session join people p on p.id = s.person
    where p.email = 'isabella.mueller@company.com' order by m.number`
  expect(said.map(({ role }) => role)).toEqual(['employee', 'agent'])
})

describe('make chat', () => {
  interface Ran {
    code: number | null
    stdout: string
    stderr: string
  }
  const chat = async (environment: Record<string, string>): Promise<Ran> => {
    const ran: Ran = { code: null, stdout: '', stderr: '' }
    const child = spawn(process.execPath, [join(root, 'scripts/chat.ts')], {
      env: { PATH: process.env['PATH'], API_URL: at('ingress'), OIDC_ISSUER: at('issuer'), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stdout.on('data', (text) => {
      ran.stdout += text
    })
    child.stderr.on('data', (text) => {
      ran.stderr += text
    })
    const [code] = await once(child, 'close')
    return { ...ran, code }
  }

  test('plays MESSAGES as EMAIL and prints the ticket', async () => {
    const { code, stdout, stderr } = await chat({
      DATA_DIR: join(data, 'issuer'),
      EMAIL: 'sophie.dubois@company.com',
      MESSAGES: 'VPN does not connect|no|yes',
    })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^you> VPN does not connect\nagent> .*\nyou> yes\nagent> .*\*\*REQ\d{7}\*\*/s)
  })

  test('TOKEN says who it is, without a key here; another EMAIL is refused', async () => {
    const TOKEN = await tokenOf('yuki.tanaka@company.com')
    const base = { DATA_DIR: '/nowhere', TOKEN, MESSAGES: 'reset' }
    expect(await chat({ ...base, EMAIL: 'yuki.tanaka@company.com' })).toMatchObject({ code: 0, stderr: '' })
    const refused = await chat({ ...base, EMAIL: 'alice.johnson@company.com' })
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('identity.forbidden') })
  })
})

test('told to stop, every process ends with 0, even one whose model hangs', async () => {
  const asking = whileModelHangs(() =>
    post('ahmed.hassan@company.com', 'would you please order a newer notebook', { prefer: 'respond-async' }),
  )
  await asking.hanging
  expect((await asking.done).status).toBe(202)
  const children = [...platform.children]
  await platform.stop()
  for (const { name, ended } of children) expect([name, await ended]).toEqual([name, 'code 0'])
})

test('a killed platform leaves no process behind', async () => {
  const other = await createTestDatabase()
  const folder = await mkdtemp(join(tmpdir(), 'platform-'))
  const script = `
    import { startPlatform } from ${JSON.stringify(join(root, 'local/platform/platform.ts'))}
    const { children } = await startPlatform(JSON.parse(process.env.SETTINGS))
    console.log(JSON.stringify(children.map(({ process }) => process.pid)))
    setInterval(() => {}, 1000)`
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env['PATH'], SETTINGS: JSON.stringify(await newSettings(other.url, folder)) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const line = await Promise.race([
      once(parent.stdout, 'data').then(([data]) => String(data)),
      once(parent, 'exit').then(([code]) => Promise.reject(new Error(`the platform ended with ${code}`))),
    ])
    const pids = z.array(z.int()).parse(JSON.parse(line))
    expect(pids).toHaveLength(13)
    expect(await stillRunning(pids)).toEqual(pids)
    parent.kill('SIGKILL')
    await vi.waitFor(async () => expect(await stillRunning(pids)).toEqual([]), 5_000)
  } finally {
    parent.kill('SIGKILL')
    await other.drop()
    await rm(folder, { recursive: true, force: true })
  }
}, 60_000)
