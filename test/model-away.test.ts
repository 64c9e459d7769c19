import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { tickAt } from '../functions/keeper/testing/scenes.ts'
import { defaults } from '../local/model/settings.ts'
import { eventTypes } from '../shared/events/catalogue.ts'
import type { Event } from '../shared/events/event.ts'
import { type Model, openModel } from '../shared/model/index.ts'
import { decideApproval, findAskedOf } from '../shared/store/decisions.ts'
import { findRequest } from '../shared/store/requests.ts'
import { quiet } from './pipeline.ts'
import { agentsFolder, createWorld, type World } from './world.ts'

/** A model that is away for twenty minutes costs time; it fills no dead letters, and nobody is left without a word. */
const minute = 60_000
const needsModel = 'my notebook is ancient, can I get another one'
const tooLate = 'I could not finish this in time. A colleague will look at it.'
const alice = 'alice.johnson@company.com'
const boss = 'jane.smith@company.com'

let agents: string
let full: { url: string; asked: number; close(): void }
let world: World
let model: 'here' | 'full' | 'gone'

beforeAll(async () => {
  agents = await mkdtemp(join(tmpdir(), 'agents-'))
  await cp(agentsFolder, agents, { recursive: true })
  await explainAfterTheDecision(join(agents, 'software-licence', 'agent.yaml'))
  full = await startFullModel()
})
afterAll(async () => {
  full.close()
  await rm(agents, { recursive: true })
})
beforeEach(async () => {
  world = await createWorld({ agents })
  model = 'here'
  const options = { model: defaults.model, apiKey: 'none', timeoutMs: 5_000 }
  const models = {
    here: openModel({ ...options, url: world.modelServer.url }),
    full: openModel({ ...options, url: full.url }),
    gone: openModel({ ...options, url: `http://127.0.0.1:${await closedPort()}/v1` }),
  }
  const late: Model = {
    decide: (question, signal) => models[model].decide(question, signal),
    extract: (question, signal) => models[model].extract(question, signal),
    compose: (question, signal) => models[model].compose(question, signal),
  }
  Object.assign(world.pipeline.parts, { model: late })
})
afterEach(() => world.close())

test('twenty minutes: nothing is a dead letter, who waited too long is told, everybody else is answered', async () => {
  const { pipeline } = world
  const asked: Record<'large' | 'small', string[]> = { large: [], small: [] }
  const ask = async (tenant: 'large' | 'small', at: number) => {
    const email = `${at}@${tenant}.example`
    asked[tenant][at] = (await pipeline.say(email, needsModel)).id
    await setTenant(email, tenant)
  }
  let tries = 0
  let second = ''
  for (let at = 1; at <= 19; at += 1) {
    pipeline.pass(minute)
    model = at <= 10 ? 'full' : 'gone'
    if (at % 2 === 1) await ask('large', at)
    if ([2, 9, 16].includes(at)) await ask('small', at)
    if (at === 18) second = (await pipeline.say('3@large.example', 'hello')).id
    if (at % 5 !== 0) continue
    const released = await tick()
    expect(await Promise.all(released.map(tenantOf))).toEqual(oneOfEach(asked.large, asked.small))
    expect(await states()).toEqual(['waiting'])
    expect(await letters()).toEqual([])
    // Three attempts for whoever asks and whoever is released, and no more.
    tries += released.length
    const asking = [...asked.large, ...asked.small].filter(Boolean).length
    if (model === 'full') expect(full.asked).toBe(3 * (asking + tries))
  }
  expect((await findRequest(world.db.database, second))?.state).toBe('queued')

  pipeline.pass(minute)
  model = 'here'
  await tick()
  expect(await letters()).toEqual([])
  for (const [at, id] of [...Object.entries(asked.large), ...Object.entries(asked.small)]) {
    const request = await findRequest(world.db.database, id)
    const inTime = Number(at) > 5
    expect([at, request?.state]).toEqual([at, inTime ? 'answered' : 'failed'])
    if (inTime) expect(request?.response?.content).toMatch(/laptop/i)
    else expect(request?.response?.content).toBe(tooLate)
  }
  // What was said behind a turn that came to nothing has its turn.
  expect((await findRequest(world.db.database, second))?.state).toBe('answered')
  expect(await world.db.database`select 1 from sessions where turn is not null or pending_event is not null`).toEqual(
    [],
  )
})

test("what follows somebody else's decision waits longer than a quarter of an hour, and comes to its end", async () => {
  await decideWhileModelIsAway()
  for (let passed = 0; passed < 25; passed += 5) {
    world.pipeline.pass(5 * minute)
    await tick()
    expect(await states()).toEqual(['waiting'])
  }
  expect(await letters()).toEqual([])
  model = 'here'
  world.pipeline.pass(5 * minute)
  await tick()
  expect(await letters()).toEqual([])
  expect(world.mock.tickets()).toHaveLength(1)
  expect(await last()).toContain(world.mock.tickets()[0]?.number)
  expect(await last()).toMatch(/approv/i)
})

test('after two hours that is closed as well, and kept so that the decision is not lost', async () => {
  await decideWhileModelIsAway()
  for (let passed = 0; passed < 120; passed += 15) {
    await tick()
    expect(await states()).toEqual(['waiting'])
    world.pipeline.pass(15 * minute)
  }
  await tick()
  expect(await last()).toBe(tooLate)
  expect(await letters()).toMatchObject([{ outcome: 'closed', error_data: '{"code":"turn.deadline-passed"}' }])
})

/** A repair tick with all that follows from it; the steps that it released. */
async function tick(): Promise<Event[]> {
  const { handlers, events, deliver, now } = world.pipeline
  const before = events.length
  await handlers.keeper(tickAt(now()), quiet)
  await deliver()
  return events.slice(before).filter(({ type, source }) => type === eventTypes.agentStep && source === '/keeper')
}

/** The states of all turns that are not over, each once. */
async function states(): Promise<string[]> {
  const rows = await world.db.database<{ state: string }[]>`
    select distinct state from turns where finished_at is null`
  return rows.map(({ state }) => state)
}

async function letters() {
  return [
    ...(await world.db.database<{ outcome: string; error_data: string }[]>`
    select outcome, error_data from dead_letters`),
  ]
}

async function last(): Promise<string | undefined> {
  const rows = await world.db.database<{ content: string }[]>`
    select content from messages order by created_at desc, number desc limit 1`
  return rows[0]?.content
}

async function setTenant(email: string, tenant: string): Promise<void> {
  await world.db.database`
    update sessions set tenant = ${tenant} where person = (select id from people where email = ${email})`
}

async function tenantOf(event: Event): Promise<string | undefined> {
  const [row] = await world.db.database<{ tenant: string }[]>`
    select tenant from sessions where id = ${event.subject ?? ''}`
  return row?.tenant
}

/** In which order tenants are served: the oldest of each, then the second of each, and so on. */
function oneOfEach(large: string[], small: string[]): string[] {
  const [many, few] = [large, small].map((ids) => ids.filter(Boolean).length)
  return Array.from({ length: many ?? 0 }, (_, place) => (place < (few ?? 0) ? ['large', 'small'] : ['large'])).flat()
}

/** The manager says yes while the model is away: the ticket needs none, what is said after it does. */
async function decideWhileModelIsAway(): Promise<void> {
  const { db, pipeline } = world
  for (const text of ['I need 40 seats of Figma on CC-1234', 'we design the new web shop', boss, 'yes']) {
    await pipeline.say(alice, text)
  }
  model = 'gone'
  const [approval] = await findAskedOf(db.database, { email: boss, now: pipeline.now(), limit: 1 })
  const decided = await db.database.begin((sql) =>
    decideApproval(sql, {
      id: approval?.id ?? '',
      decision: 'granted',
      by: { email: boss, caller: boss },
      now: pipeline.now(),
    }),
  )
  if (!decided?.event) throw new Error('nobody was asked')
  await pipeline.deliver(decided.event)
  expect(world.mock.tickets()).toHaveLength(1)
  expect(await states()).toEqual(['waiting'])
}

/** Lets the licence agent answer from its policy once the ticket of an approved request is open. */
async function explainAfterTheDecision(file: string): Promise<void> {
  const before = await readFile(file, 'utf8')
  const after = before.replace(
    /next: finish\n\n {2}not-approved:/,
    `next: explain

  explain:
    search: '"who approves it"'
    limit: 4
    save: passages
    none: finish
    next: explain-compose

  explain-compose:
    compose: '"who approves it"'
    from: passages
    save: answer
    unanswered: finish
    next: explain-say

  explain-say:
    say: '{{ answer.text }}'
    next: finish

  not-approved:`,
  )
  if (after === before) throw new Error(`${file} has no step to put this after`)
  await writeFile(file, after)
}

/** A model service that is full, and counts how often it is asked all the same. */
async function startFullModel(): Promise<{ url: string; asked: number; close(): void }> {
  const server = createServer((request, response) => {
    started.asked += 1
    request.resume()
    response.writeHead(503, { 'content-type': 'application/json' }).end('{"error":{"message":"full"}}')
  })
  const started = { url: '', asked: 0, close: () => void server.close().closeAllConnections() }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  started.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  return started
}

async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
