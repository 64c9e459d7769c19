import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createToolCaller } from '../functions/agent/call-tool.ts'
import { createFunction } from '../functions/normalize/index.ts'
import { createServiceNow } from '../functions/servicenow/servicenow.ts'
import { readSettings } from '../functions/servicenow/settings.ts'
import { type ModelServer, startModelServer } from '../local/model/server.ts'
import { defaults } from '../local/model/settings.ts'
import { removePostgres } from '../local/postgres/remove.ts'
import { type RunningPostgres, startPostgres } from '../local/postgres/start.ts'
import { type ServiceNowMock, startServiceNow } from '../local/servicenow/start.ts'
import { Fault } from '../shared/errors/fault.ts'
import { toFault } from '../shared/errors/to-fault.ts'
import { eventTypes } from '../shared/events/catalogue.ts'
import { writeEvent } from '../shared/events/http.ts'
import { loadAgents } from '../shared/flow/index.ts'
import { ingest, readKnowledge } from '../shared/knowledge/index.ts'
import { type Model, openModel } from '../shared/model/index.ts'
import type { EventHandler } from '../shared/stage/function.ts'
import { type Host, host } from '../shared/stage/host.ts'
import { connect, type Database } from '../shared/store/connect.ts'
import { migrate, readMigrations } from '../shared/store/migrate.ts'
import { findRequest } from '../shared/store/requests.ts'
import { readToolCatalogue } from '../shared/tools/catalogue.ts'
import { createPipeline, type Pipeline, quiet } from './pipeline.ts'
import { agentsFolder } from './world.ts'

/**
 * Law 4 for the store itself: Postgres crashes at any instant of a conversation, or is not there when a function
 * starts. The broker of this test delivers an event again until it is taken, as the real one does.
 */
const alice = 'alice.johnson@company.com'
const conversation = [
  'hey, my notebook is ancient, can I get a replacement?',
  'sure, show me what there is',
  'the thinkpad t14s please',
  'yes please go ahead',
]
/** Nothing waits for the disk; what was committed survives the crash of a process all the same. */
const settings = { fsync: 'off', full_page_writes: 'off' }

let folder: string
let postgres: RunningPostgres
let database: Database
let tools: Host
let mock: ServiceNowMock
let modelServer: ModelServer
let pipeline: Pipeline
/** Called at every instant at which a crash is interesting, with its name; what it throws is what the handler throws. */
let instant: (name: string) => Promise<void> = async () => {}
/** The event that is being handled: there is one at a time. */
let handled = ''
/** A crash that is not over yet. */
let crashing: Promise<void> = Promise.resolve()
/** The stages' handlers, for one delivery and no more. */
let once: Pipeline['handlers']

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'self-service-agent-away-'))
  postgres = await startPostgres({ folder, port: 0, settings })
  database = connect(postgres.url, { max: 5, name: 'stages' })
  await migrate(database, await readMigrations(join(import.meta.dirname, '../shared/store/migrations')))
  await ingest(database, await readKnowledge(agentsFolder))
  const start = new Date('2026-11-24T09:00:00Z')
  const now = () => pipeline.now()
  mock = await startServiceNow({ now: () => start })
  modelServer = await startModelServer({ settings: defaults, host: '127.0.0.1', port: 0, now: Date.now })
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const environment = {
    SERVICENOW_URL: mock.url,
    SERVICENOW_API_KEY: 'test-key',
    SERVICENOW_LAPTOP_REFRESH_ID: 'mock_laptop_refresh_id',
    SERVICENOW_LICENCE_ID: 'mock_software_licence_id',
    SERVICENOW_HELP_ID: 'mock_help_request_id',
    TOOL_IDENTITY_PUBLIC_KEY: JSON.stringify(publicKey.export({ format: 'jwk' })),
  }
  tools = await host(createServiceNow({ settings: readSettings(environment), database, now, log: quiet.log }), {
    ...{ port: 0, hostname: '127.0.0.1', log: quiet.log },
  })
  const callTool = createToolCaller({
    servers: { servicenow: `http://127.0.0.1:${tools.port}/mcp` },
    catalogue: await readToolCatalogue(join(agentsFolder, 'tools.json')),
    key: privateKey.export({ format: 'jwk' }),
    now,
  })
  const model = openModel({ url: modelServer.url, model: defaults.model, apiKey: 'none', timeoutMs: 5_000 })
  pipeline = createPipeline(
    database,
    {
      agents: await loadAgents(agentsFolder),
      model: around(model),
      callTool: async (call, signal) => {
        await instant(`before ${call.tool}`)
        const outcome = await callTool(call, signal)
        await instant(`after ${call.tool}`)
        return outcome
      },
    },
    start,
  )
  once = { ...pipeline.handlers }
  for (const [name, handle] of Object.entries(pipeline.handlers)) {
    pipeline.handlers[name as keyof Pipeline['handlers']] = delivered(name, handle)
  }
})

afterAll(async () => {
  await tools.close()
  await modelServer.stop()
  await mock.close()
  await database.end({ timeout: 0 })
  await postgres.stop('immediate')
  await removePostgres(folder)
})

beforeEach(afresh)

/** Nobody has said anything yet, and nothing is filed. */
async function afresh(): Promise<void> {
  instant = async () => {}
  mock.forgetTickets()
  // Every connection of the pool is over the last crash before the next test begins.
  await again('connect', () => Promise.all(Array.from({ length: 10 }, () => database`select pg_sleep(0.01)`)))
  await database`delete from people`
}

test('no transaction is open while a model or a tool is asked', async () => {
  const open: unknown[] = []
  instant = async (name) => {
    if (!/model|servicenow/.test(name)) return
    open.push(
      ...(await database`
      select query from pg_stat_activity where application_name = 'stages' and state like 'idle in transaction%'`),
    )
  }
  await converse()
  expect(open).toEqual([])
})

test.each([
  ['between any two instants', 1, async () => postgres.restart('immediate')],
  [
    'while things go on',
    1,
    async () => {
      await crashing
      crashing = postgres.restart('immediate')
    },
  ],
])(
  'Postgres crashes all along a conversation, %s: one answer a turn, in order, one ticket',
  async (_when, every, crash) => {
    const undisturbed = await converse()
    await afresh()
    const reached = new Set<string>()
    instant = async (name) => {
      const here = `${name} ${handled}`
      if (reached.has(here)) return
      reached.add(here)
      if (reached.size % every === 0) await crash()
      if (name === 'answered') throw new Fault('store.unavailable', 'the reply is lost')
    }
    const answers = await converse()
    await crashing
    expect(reached.size).toBeGreaterThan(50)
    expect(answers.map(withoutNumber)).toEqual(undisturbed.map(withoutNumber))
    expect(mock.tickets()).toHaveLength(1)
    expect(answers.at(-1)).toContain(`Ticket **${mock.tickets()[0]?.number}** is open`)
    const kept = await database<{ role: string; content: string }[]>`select role, content from messages order by number`
    expect(kept.map(({ role, content }) => `${role}: ${content}`)).toEqual(
      conversation.flatMap((message, index) => [`employee: ${message}`, `agent: ${answers[index]}`]),
    )
    expect([...(await database`select event_type from dead_letters`)]).toEqual([])
  },
)

test('Postgres crashes in the middle of a transaction: nothing of it is there, and the redelivery does it', async () => {
  const { id, event } = await pipeline.accept(alice, 'refresh')
  const normalized = await pipeline.handlers.normalize(event, quiet)
  if (normalized === null) throw new Error('no event')
  const other = connect(postgres.url, { max: 1, name: 'holder' })
  const held = Promise.withResolvers<void>()
  const holding = other.begin(async (sql) => {
    await sql`select from sessions where id = ${normalized.subject ?? ''} for update`
    held.resolve()
    await sql`select pg_sleep(60)`
  })
  const gone = holding.catch((error: unknown) => error)
  await held.promise
  const routed = once.route(normalized, quiet).catch((error: unknown) => toFault(error).code)
  await until(async () => {
    const waiting =
      await database`select from pg_stat_activity where application_name = 'stages' and wait_event_type = 'Lock'`
    return waiting.length > 0
  })
  await postgres.restart('immediate')
  expect(await routed).toBe('store.unavailable')
  expect(await gone).toBeInstanceOf(Error)
  await other.end({ timeout: 0 })
  expect([...(await again('read', () => database`select id from turns`))]).toEqual([])

  await pipeline.deliver(normalized)
  expect(await findRequest(database, id)).toMatchObject({ state: 'answered' })
  expect([...(await database`select state from turns`)]).toEqual([{ state: 'answered' }])
})

test('Postgres is not there when a function starts: 503 until it is, and then the same event is taken', async () => {
  const { event } = await pipeline.accept(alice, 'hello')
  const { url, port } = postgres
  await postgres.stop('immediate')
  const normalize = await host(createFunction({ DATABASE_URL: url }), {
    ...{ port: 0, hostname: '127.0.0.1', log: quiet.log },
  })
  try {
    const address = `http://127.0.0.1:${normalize.port}`
    const message = writeEvent(event)
    const post = () => fetch(address, { method: 'POST', headers: message.headers, body: message.body })
    for (const response of [await fetch(`${address}/health/readiness`), await post(), await post()]) {
      expect(response.status).toBe(503)
      expect(await response.json()).toMatchObject({ code: 'store.unavailable' })
    }
    expect((await fetch(`${address}/health/liveness`)).status).toBe(200)

    postgres = await startPostgres({ folder, port, settings })
    await until(async () => (await fetch(`${address}/health/readiness`)).status === 200)
    const taken = await post()
    expect([taken.status, taken.headers.get('ce-type')]).toEqual([200, eventTypes.requestNormalized])
    const [first, second] = [await taken.text(), await (await post()).text()]
    expect(second).toBe(first)
  } finally {
    await normalize.close()
  }
})

/** Says the conversation; the answers. */
async function converse(): Promise<string[]> {
  const answers: string[] = []
  for (const message of conversation) {
    const { id, event } = await again('accept', () => pipeline.accept(alice, message))
    await pipeline.deliver(event)
    const request = await findRequest(database, id)
    expect(request?.state, message).toBe('answered')
    answers.push(request?.response?.content ?? '')
  }
  return answers
}

/** A handler as a broker calls it: again until it is taken, also where its reply was lost, which then is the same. */
function delivered(name: string, handle: EventHandler): EventHandler {
  return async (event, context) => {
    const replies = new Set<string>()
    const reply = await again(name, async () => {
      handled = event.id
      await instant(`${name} is about to begin`)
      const reply = await handle(event, context)
      replies.add(JSON.stringify(reply))
      await instant('answered')
      return reply
    })
    expect([...replies], name).toHaveLength(1)
    return reply
  }
}

/** Does it again while it fails in a way that passes: a lost store, or a lease that the crash left behind. */
async function again<T>(what: string, work: () => Promise<T>): Promise<T> {
  const until = performance.now() + 15_000
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const fault = toFault(error)
      if (fault.class !== 'retryable' || fault.code === 'stage.failed' || performance.now() > until) {
        throw new Error(`${what} failed`, { cause: error })
      }
      // Nobody holds what the crash left leased: its time passes here, not on the clock.
      const passed = fault.code === 'stage.leased'
      await (passed ? database`update inbox set lease_until = now() where state = 'leased'` : pause(10))
    }
  }
}

function around(model: Model): Model {
  const call = async <T>(ask: () => Promise<T>): Promise<T> => {
    await instant('before model')
    const answer = await ask()
    await instant('after model')
    return answer
  }
  return {
    decide: (question, signal) => call(() => model.decide(question, signal)),
    extract: (question, signal) => call(() => model.extract(question, signal)),
    compose: (question, signal) => call(() => model.compose(question, signal)),
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await pause(5)
}

const withoutNumber = (answer: string) => answer.replace(/REQ\d+/, 'REQ')
