import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AgentParts } from '../functions/agent/parts.ts'
import { type Replay, replayTurn } from '../functions/agent/replay/replay-turn.ts'
import { traceOf } from '../functions/agent/replay/trace.ts'
import { Fault } from '../shared/errors/fault.ts'
import { eventTypes } from '../shared/events/catalogue.ts'
import { type Agents, gatherAgents } from '../shared/flow/index.ts'
import type { Model } from '../shared/model/index.ts'
import type { Sql } from '../shared/store/connect.ts'
import { findRecordedTurn } from '../shared/store/recorded-turn.ts'
import { agentsFolder, type ComposedWorld, composeWorld } from './compose-world.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { quiet } from './pipeline.ts'
import { replayAll } from './replay-all.ts'

/** Turns that went wrong on their way, each replayed; and journals that were changed, each caught. */
const alice = 'alice.johnson@company.com'

type CallTool = AgentParts['callTool']
const asItIs = (call: CallTool): CallTool => call

let db: TestDatabase
let world: ComposedWorld
let agents: Agents
let around: (call: CallTool) => CallTool = asItIs
let live: Model
/** Agents of its own, one set as it ran and one changed since. */
let folder: string
beforeAll(async () => {
  db = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'self-service-agent-replay-'))
  await cp(agentsFolder, join(folder, 'ran'), { recursive: true })
  world = await composeWorld(db.database, {
    agents: join(folder, 'ran'),
    aroundTool: (call) => (asked, signal) => around(call)(asked, signal),
  })
  agents = world.pipeline.parts.agents
  live = world.pipeline.parts.model
})
afterAll(async () => {
  await world.close()
  await db.drop()
  await rm(folder, { recursive: true })
})

async function afresh(): Promise<void> {
  around = asItIs
  Object.assign(world.pipeline.parts, { model: live })
  await db.database`delete from people`
  world.mock.forgetTickets()
}

/** Says the messages; the state of the last request. */
async function say(...messages: string[]): Promise<{ state: string; content: string }> {
  let last = { state: '', content: '' }
  for (const message of messages) {
    const { state, response } = await world.pipeline.say(alice, message)
    last = { state, content: response?.content ?? '' }
    world.pipeline.pass(777)
  }
  return last
}

/** Replays all that was said since `afresh`; every turn must come out as it was. */
async function replayed(): Promise<Replay[]> {
  const replays = await replayAll(db.database, agents)
  expect(replays.filter(({ verdict }) => verdict !== 'exact').map(traceOf)).toEqual([])
  expect(replays).not.toEqual([])
  return replays
}

async function tick(): Promise<void> {
  const { handlers, deliver, now } = world.pipeline
  const id = `tick ${now().toISOString()}`
  await handlers.keeper(
    { specversion: '1.0', id, source: '/ping', type: eventTypes.tick, data: { task: 'repair' } },
    quiet,
  )
  await deliver()
}

const stepsOf = (replays: Replay[]) => replays.flatMap(({ steps }) => steps)
const traces = (replays: Replay[]) => replays.map(traceOf).join('\n')

describe('runs again as recorded', () => {
  test('a yes that opens a ticket, a no, and a yes that comes too late', async () => {
    await afresh()
    expect((await say('refresh', 'yes', '3', 'yes')).content).toContain('REQ')
    await say('reset', 'I need 3 seats of Figma on CC-1234 because we design the new web shop', 'no', 'reset')
    await say('I need 3 seats of Figma on CC-1234 because we design the new web shop')
    world.pipeline.pass(25 * 3_600_000)
    await say('yes')
    const replays = await replayed()
    const changes = stepsOf(replays).flatMap(({ walked }) => walked?.approvals ?? [])
    expect(new Set(changes.map(({ kind }) => kind))).toEqual(new Set(['open', 'grant', 'decline', 'expire']))
    expect(traces(replays)).toContain('has expired')
  })

  test('commands, with what the session had used', async () => {
    await afresh()
    await say('my notebook is ancient, can I get another one', 'tokens', 'reset', 'tokens', 'quit')
    expect(traces(await replayed())).toMatch(/tokens {2}command/)
  })

  test('tools that are away, refuse, or leave it unknown', async () => {
    await afresh()
    around = () => async () => {
      throw new Fault('tool.unavailable', 'away')
    }
    await say('refresh', 'my open requests')
    for (const code of ['tool.refused', 'tool.outcome-unknown'] as const) {
      around = asItIs
      await say('reset', 'refresh', 'yes', '3')
      around = (call) => async (asked, signal) => {
        if (asked.approval === null) return call(asked, signal)
        throw new Fault(code, 'it says')
      }
      await say('yes')
    }
    const trace = traces(await replayed())
    for (const code of ['tool.unavailable', 'tool.refused', 'tool.outcome-unknown']) expect(trace).toContain(code)
  })

  test('a crash after the write and one after the model: the step is repeated and journalled once', async () => {
    await afresh()
    await say('refresh', 'yes', '3')
    let crashes = 1
    around = (call) => async (asked, signal) => {
      const outcome = await call(asked, signal)
      if (asked.approval !== null && crashes-- > 0) throw new Fault('stage.lease-lost', 'died')
      return outcome
    }
    expect((await say('yes')).content).toContain('REQ')
    expect(world.mock.tickets()).toHaveLength(1)

    // The model answers otherwise the second time; only what was committed counts.
    let asked = 0
    Object.assign(world.pipeline.parts, {
      model: {
        ...live,
        decide: async (question, signal) => {
          asked += 1
          const answer = await live.decide(question, signal)
          if (asked === 1) throw new Fault('stage.lease-lost', 'died')
          return { ...answer, value: 'it-help', raw: '{"label":"it-help"}' }
        },
      } satisfies Model,
    })
    await say('reset', 'my notebook is ancient, can I get another one')
    expect(asked).toBeGreaterThan(1)
    const replays = await replayed()
    const write = stepsOf(replays).find(({ recorded }) => recorded.approval === 'used')
    expect(write?.recorded.kind).toBe('call')
    const [rows] = await db.database<{ all: number; once: number }[]>`
      select count(*)::int as all, count(distinct (turn, number))::int as once from steps`
    expect(rows?.all).toBe(rows?.once)
  })

  test('a turn that failed: with its own fault, without budget, past its deadline', async () => {
    await afresh()
    around = () => async () => {
      throw new Fault('event.hop-limit', 'nobody foresaw this')
    }
    expect((await say('refresh')).state).toBe('failed')
    around = asItIs
    const { limits } = world.pipeline.parts
    const before = limits.tokensPerTurn
    limits.tokensPerTurn = 0
    expect((await say('my notebook is ancient, can I get another one')).state).toBe('failed')
    limits.tokensPerTurn = before
    expect((await say('menu')).content).toContain('I am back')
    const { event } = await world.pipeline.accept(alice, 'refresh')
    const normalized = await world.pipeline.handlers.normalize(event, quiet)
    const step = normalized && (await world.pipeline.handlers.route(normalized, quiet))
    if (step !== null) await world.pipeline.handlers.agent(step, quiet)
    world.pipeline.pass(20 * 60_000)
    await tick()
    const trace = traces(await replayed())
    for (const code of ['event.hop-limit', 'flow.budget-spent', 'turn.deadline-passed']) {
      expect(trace).toContain(`failed (${code})`)
    }
  })

  test('a turn that waited for the model, under a trace of its own', async () => {
    await afresh()
    const away = async () => {
      throw new Fault('model.unavailable', 'away')
    }
    Object.assign(world.pipeline.parts, { model: { decide: away, extract: away, compose: away } satisfies Model })
    expect((await say('my notebook is ancient, can I get another one')).state).not.toBe('answered')
    Object.assign(world.pipeline.parts, { model: live })
    world.pipeline.pass(60_000)
    await tick()
    const [replay] = await replayed()
    expect(replay?.recorded.releases).toBe(1)
    expect(replay?.recorded.turn.state).toBe('answered')
  })

  test('an answer that was cut short: what was read of it is kept beside it', async () => {
    await afresh()
    Object.assign(world.pipeline.parts, {
      model: {
        ...live,
        decide: async (question, signal) => {
          const answer = await live.decide(question, signal)
          return { ...answer, value: null, raw: '{"label":"laptop-refresh"}' }
        },
      } satisfies Model,
    })
    await say('my notebook is ancient, can I get another one')
    const [step] = stepsOf(await replayed())
    expect(step?.recorded.answer).toEqual({ raw: '{"label":"laptop-refresh"}', value: 'null' })
  })
})

describe('catches what was changed', () => {
  let laptop: string
  let ticket: string
  beforeAll(async () => {
    await afresh()
    await say('my notebook is ancient, can I get another one', 'yes', '3', 'yes')
    const rows = await db.database<{ id: string }[]>`select id from turns order by message`
    laptop = rows[0]?.id ?? ''
    ticket = rows.at(-1)?.id ?? ''
    await replayed()
  })

  /** Replays a turn after a change that is taken back again. */
  async function replayAfter(turn: string, change: (sql: Sql) => Promise<unknown>): Promise<Replay> {
    let replay: Replay | undefined
    const undone = new Error('undone')
    await db.database
      .begin(async (sql) => {
        await change(sql)
        const recorded = await findRecordedTurn(sql, turn)
        if (recorded !== null) replay = await replayTurn(recorded, agents)
        throw undone
      })
      .catch((error: unknown) => {
        if (error !== undone) throw error
      })
    if (replay === undefined) throw new Error('there was nothing to replay')
    return replay
  }

  const cases: [
    name: string,
    which: 'laptop' | 'ticket',
    change: (sql: Sql, turn: string) => Promise<unknown>,
    says: RegExp,
  ][] = [
    [
      "a model's answer",
      'laptop',
      (sql, turn) =>
        sql`update steps set answer = '"{\\"label\\":\\"it-help\\"}"' where turn = ${turn} and kind = 'decide' and number = 0`,
      /Step 0: It goes on otherwise\n.*recorded "hand-off to laptop-refresh", replayed "hand-off to it-help"/,
    ],
    [
      "a tool's answer",
      'laptop',
      (sql, turn) => sql`
        update steps set answer = jsonb_set(answer, '{value,name}', '"Mallory"')
        where turn = ${turn} and request ->> 'tool' = 'servicenow.get_employee_laptop_info'`,
      /Step \d: (It says something else\n.*Mallory|The flow stands elsewhere after it)/,
    ],
    [
      'a record',
      'laptop',
      (sql, turn) => sql`
        update steps set reads = regexp_replace(reads::text, '"refresh_months": \\d+', '"refresh_months": 99')::jsonb
        where turn = ${turn} and reads::text like '%refresh_months%'`,
      /Step \d: (It says something else\n.*99|The flow stands elsewhere after it)/,
    ],
    [
      'the stored reply',
      'laptop',
      (sql, turn) => sql`update turns set response = replace(response, 'eligible', 'not eligible') where id = ${turn}`,
      /The turn: The stored answer \(its response-ready event\) is another\n +data\.content: recorded "…/,
    ],
    [
      'the order of the stored bytes',
      'laptop',
      (sql, turn) =>
        sql`update turns set response = replace(response, '"specversion":"1.0",', '') || ' ' where id = ${turn}`,
      /The turn: The stored answer/,
    ],
    [
      'a prompt',
      'laptop',
      (sql, turn) => sql`
        update steps set request = replace(request::text, 'ancient', 'ancient and broken')::jsonb
        where turn = ${turn} and prompt_hash is not null`,
      /Step 0: The prompt is not the one that was sent\n.*ancient and broken/,
    ],
    [
      "a prompt's hash",
      'laptop',
      (sql, turn) => sql`update steps set prompt_hash = 'f00' where turn = ${turn} and prompt_hash is not null`,
      /Step 0: The prompt's hash is not the recorded one\n/,
    ],
    [
      "the employee's words",
      'laptop',
      (sql, turn) => sql`update messages set content = 'I want a yacht' where turn = ${turn} and role = 'employee'`,
      /Step 0: The prompt is not the one that was sent\n.*yacht/,
    ],
    [
      'what was said',
      'ticket',
      (sql, turn) => sql`update turns set said = replace(said::text, 'REQ', 'REX')::jsonb where id = ${turn}`,
      /Step 1: It says something else\n.*REX/,
    ],
    [
      'what was approved',
      'ticket',
      (sql, turn) => sql`
        update steps set request = jsonb_set(request, '{arguments}', '{"laptop": "yacht"}')
        where turn = ${turn} and kind = 'call' and request ->> 'approval' is not null`,
      /Step 1: It calls servicenow\.\w+ otherwise than was recorded\n.*yacht/,
    ],
    [
      'the approval as it stood',
      'ticket',
      (sql, turn) => sql`update steps set approval = 'expired' where turn = ${turn} and number = 0`,
      /Step 0: /,
    ],
    [
      'what became of the approval',
      'ticket',
      (sql) => sql`update approvals set state = 'declined' where state = 'used'`,
      /Step 1: Approval \S+ is used by the step, and not stored as used\n.*recorded "declined", replayed "used"/,
    ],
    [
      'the moment of a step',
      'ticket',
      (sql, turn) =>
        sql`update steps set started_at = started_at + interval '3 days' where turn = ${turn} and number = 0`,
      /Step 0: /,
    ],
    [
      'a step that is gone',
      'laptop',
      (sql, turn) => sql`delete from steps where turn = ${turn} and number = 1`,
      /The journal has no step 1/,
    ],
    [
      'a record that is gone',
      'laptop',
      (sql, turn) => sql`update steps set reads = '[]' where turn = ${turn} and jsonb_array_length(reads) > 0`,
      /Step \d: It makes the lookup of [\w-]+, of which the journal holds nothing/,
    ],
    [
      'a call that was never made',
      'laptop',
      (sql, turn) =>
        sql`update steps set reads = reads || (select reads from steps where jsonb_array_length(reads) > 0 limit 1) where turn = ${turn} and number = 0`,
      /Step 0: The journal holds records that the step does not look up/,
    ],
    [
      'an answer to nothing',
      'ticket',
      (sql, turn) => sql`update steps set answer = '"yes"' where turn = ${turn} and kind = 'flow'`,
      /Step 0: The journal holds an answer that the step does not ask for/,
    ],
    [
      'the history',
      'laptop',
      (sql, turn) => sql`update messages set content = 'All is well.' where turn = ${turn} and role = 'agent'`,
      /The turn: The conversation's history holds another answer\n/,
    ],
    [
      'a delivery',
      'laptop',
      (sql, turn) => sql`update deliveries set content = 'All is well.' where turn = ${turn}`,
      /The turn: Another answer was delivered to generic:\n/,
    ],
    [
      'the tokens',
      'laptop',
      (sql, turn) => sql`update turns set input_tokens = input_tokens + 1 where id = ${turn}`,
      /The turn: The turn cost something else\n/,
    ],
    [
      'the trace',
      'laptop',
      (sql) => sql`update requests set traceparent = '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01'`,
      /The turn: The stored answer is of another trace\n/,
    ],
  ]
  test.each(cases)('%s', async (_name, which, change, says) => {
    const turn = which === 'laptop' ? laptop : ticket
    const replay = await replayAfter(turn, (sql) => change(sql, turn))
    expect(traceOf(replay)).toMatch(says)
    expect(replay.verdict).toBe('differs')
  })

  test.each<[string, (sql: Sql, turn: string) => Promise<unknown>, RegExp]>([
    ['an open turn', (sql, turn) => sql`update turns set response = null where id = ${turn}`, /has not finished/],
    [
      'an older journal',
      (sql, turn) => sql`update steps set state_hash = null where turn = ${turn}`,
      /by a version before/,
    ],
    ['a journal that was removed', (sql, turn) => sql`delete from steps where turn = ${turn}`, /has been removed/],
  ])('of %s it says that nothing can be said', async (_name, change, says) => {
    const replay = await replayAfter(laptop, (sql) => change(sql, laptop))
    expect(replay).toMatchObject({ verdict: 'unable', sentence: expect.stringMatching(says) })
  })
})

test('an agent file that changed in nothing that the turn shows is told of, and no fault', async () => {
  await afresh()
  await say('refresh')
  const changed = gatherAgents([...agents.byName.values()].map((agent) => ({ agent, version: '00' })))
  const [replay] = await replayAll(db.database, changed)
  expect(replay).toMatchObject({
    verdict: 'exact',
    sentence: expect.stringContaining("agent's file has changed since"),
  })
})

describe('as a command', () => {
  /** Lets the process connect to the database and to nothing else. */
  const onlyPostgres = (port: string) =>
    `data:text/javascript,${encodeURIComponent(`
      import { Socket } from 'node:net'
      const connect = Socket.prototype.connect
      Socket.prototype.connect = function (...given) {
        const [options] = given.flat()
        if (String(options.port ?? options) !== '${port}') throw new Error('a connection to ' + JSON.stringify(options))
        return connect.apply(this, given)
      }`)}`

  async function replay(
    environment: Record<string, string>,
    ...given: string[]
  ): Promise<{ code: number; out: string; err: string }> {
    const { PATH = '' } = process.env
    const files = [join(import.meta.dirname, '../scripts/replay.ts'), ...given]
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', '--import', onlyPostgres(new URL(db.url).port), ...files],
        { env: { PATH, DATABASE_URL: db.url, AGENTS_DIR: join(folder, 'ran'), ...environment }, maxBuffer: 2 ** 24 },
        (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      )
    })
  }

  test('it replays a session from a database that is read-only, with neither model nor tools, and says what it finds', async () => {
    await afresh()
    const words = 'my notebook is ancient, can I get another one'
    await say(words, 'reset', words)
    const [first, second, third] = await db.database<{ id: string; session: string }[]>`
      select id, session from turns order by message`
    const changedFolder = join(folder, 'changed')
    await cp(join(folder, 'ran'), changedFolder, { recursive: true })
    const file = join(changedFolder, 'router/agent.yaml')
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll(/^(\s*title:.*)$/gm, '$1 of ours'))
    const name = new URL(db.url).pathname.slice(1)
    await db.database`update steps set answer = '"no label"' where turn = ${third?.id ?? ''} and number = 0`
    await db.database.unsafe(`alter database ${name} set default_transaction_read_only = on`)
    const [exact, session, changed, unknown, nothing, help] = await Promise.all([
      replay({}, '--turn', first?.id ?? ''),
      replay({}, '--session', first?.session ?? '', '--json'),
      replay({ AGENTS_DIR: changedFolder }, '--turn', third?.id ?? ''),
      replay({}, '--turn', '00000000-0000-4000-8000-000000000000'),
      replay({}),
      replay({}, '--help'),
    ])
    expect(exact).toMatchObject({ code: 0, err: '' })
    expect(exact.out).toContain('As recorded, to the byte: ')
    expect(exact.out).toMatch(/0 {2}router {2}\S+ {2}decide {2}\d+\+\d+ tokens {2}\d+ ms\n/)
    expect(session.code).toBe(1)
    const told: { turn: string; verdict: string }[] = JSON.parse(session.out)
    expect(told.map(({ turn, verdict }) => ({ turn, verdict }))).toEqual([
      { turn: first?.id, verdict: 'exact' },
      { turn: second?.id, verdict: 'exact' },
      { turn: third?.id, verdict: 'differs' },
    ])
    expect(changed.code).toBe(2)
    expect(changed.out).toContain('The file of agent ')
    expect(changed.out).toContain('has changed since: replay with the version that ran')
    expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('There is no turn 00000000-') })
    expect(nothing).toMatchObject({ code: 2, err: expect.stringContaining('Say which turn') })
    expect(help).toMatchObject({ code: 0, out: expect.stringContaining('Exit code: 0 as recorded') })
  })
})
