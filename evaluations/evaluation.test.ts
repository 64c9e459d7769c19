import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Fault } from '../shared/errors/fault.ts'
import { type Agents, loadAgents } from '../shared/flow/index.ts'
import type { Model } from '../shared/model/index.ts'
import { agentsFolder, createWorld, type World } from '../test/world.ts'
import { type Case, parseCases } from './cases.ts'
import { patient } from './patient-model.ts'
import { type Run, writeJson, writePage, writeText } from './report.ts'
import { employeesFor, figuresOf, type Outcome, runCases } from './run-cases.ts'

const examples = parseCases(await readFile(join(import.meta.dirname, 'example.json'), 'utf8'))

let agents: Agents
beforeAll(async () => {
  agents = await loadAgents(agentsFolder)
})

async function runIn(world: World, cases: Case[], employees: ReturnType<typeof employeesFor>): Promise<Outcome[]> {
  const { pipeline, mock, db } = world
  return runCases(cases, { pipeline, mock, database: db.database, agents, employees })
}

describe('the example', () => {
  const wrong = examples.map((item) => ({ ...withWrongExpectation(item), id: item.id + 1000 }))
  const employees = employeesFor(examples.length + wrong.length)
  let world: World
  let outcomes: Outcome[]
  let wronged: Outcome[]
  beforeAll(async () => {
    world = await createWorld({ employees })
    outcomes = await runIn(world, examples, employees)
    wronged = await runIn(world, wrong, employees.slice(examples.length))
  })
  afterAll(() => world.close())

  test('is understood', () => {
    expect(outcomes.filter((outcome) => !outcome.ran || !outcome.right)).toEqual([])
    expect(figuresOf(outcomes).map(({ situation, messages, right }) => [situation, messages, right])).toEqual([
      ['first-message', 5, 5],
      ['offer', 7, 7],
      ['pick', 4, 4],
      ['confirm', 5, 5],
      ['licence-details', 4, 4],
      ['all', 25, 25],
    ])
  })

  test('is not right where something else is expected', () => {
    expect(wronged.map((outcome) => outcome.ran && outcome.right)).toEqual(wrong.map(() => false))
    // The same messages lead to the same outcome, whatever is expected of them.
    expect(wronged.map((outcome) => outcome.ran && outcome.got)).toEqual(
      outcomes.map((outcome) => outcome.ran && outcome.got),
    )
  })

  test('tells what the model cost', () => {
    const of = (id: number) => outcomes.find((outcome) => outcome.case.id === id)
    expect(of(13)).toMatchObject({ observed: { modelCalls: 0, inputTokens: 0, outputTokens: 0 } })
    expect(of(22)).toMatchObject({ observed: { modelCalls: 2, agents: ['router', 'software-licence'] } })
    expect(figuresOf(outcomes).at(-1)?.inputTokens).toBeGreaterThan(0)
  })

  test('opens tickets only where a yes was given', () => {
    expect(
      outcomes.flatMap((outcome) => (outcome.ran && outcome.observed.tickets > 0 ? [outcome.case.id] : [])),
    ).toEqual([17])
  })
})

describe('outcomes that no expectation names', () => {
  const said: [Case['situation'], string, Record<string, unknown>][] = [
    ['first-message', 'my open requests', { agent: 'open-requests' }],
    ['first-message', 'thanks', { agent: 'goodbye' }],
    ['first-message', 'hi', { agent: 'capabilities' }],
    ['first-message', 'quit', { agent: 'system' }],
    ['offer', 'the weather is nice in Rome', { label: 'not understood' }],
    ['offer', 'I need a software licence', { label: 'back' }],
    ['offer', 'reset', { label: 'command' }],
    ['confirm', 'main menu', { answer: 'no' }],
    ['licence-details', 'my printer is broken', { 'answered by': 'it-help' }],
  ]
  const expectations: Record<Case['situation'], Case['expect']> = {
    'first-message': { agent: 'unsure' },
    offer: { label: 'question' },
    pick: { pick: 1 },
    confirm: { answer: 'yes' },
    'licence-details': { product: null, seats: null, cost_centre: null, justification: false },
  }
  const cases = parseCases(
    JSON.stringify(
      said.map(([situation, message], id) => ({ id, situation, message, expect: expectations[situation] })),
    ),
  )

  test('are named', async () => {
    const employees = employeesFor(cases.length)
    const world = await createWorld({ employees })
    try {
      const outcomes = await runIn(world, cases, employees)
      expect(outcomes.map((outcome) => outcome.ran && [outcome.right, outcome.got])).toEqual(
        said.map(([, , got]) => [false, got]),
      )
    } finally {
      await world.close()
    }
  })
})

test('a model that stays away is a case that was not run, and the next one is not touched by it', async () => {
  const away = async () => {
    throw new Fault('model.unavailable', 'nobody there')
  }
  const employees = employeesFor(2)
  const world = await createWorld({ employees, model: { decide: away, extract: away, compose: away } })
  try {
    const outcomes = await runIn(world, [caseOf(1), caseOf(13)], employees)
    expect(outcomes).toMatchObject([
      { ran: false, why: 'the model stayed away' },
      { ran: true, right: true },
    ])
    expect(figuresOf(outcomes).at(-1)).toMatchObject({ messages: 2, right: 1, notRun: 1 })
  } finally {
    await world.close()
  }
})

test('a stop ends the run before the next message', async () => {
  const stopped = new AbortController()
  stopped.abort(new Error('stopped'))
  const employees = employeesFor(1)
  const world = await createWorld({ employees })
  try {
    const { pipeline, mock, db } = world
    const system = { pipeline, mock, database: db.database, agents, employees }
    await expect(runCases([caseOf(1)], system, { signal: stopped.signal })).rejects.toThrow('stopped')
    expect(pipeline.events).toEqual([])
  } finally {
    await world.close()
  }
})

describe('a file', () => {
  test.each([
    ['{', 'no JSON'],
    ['{}', 'no JSON array'],
    ['[]', 'no JSON array'],
    ['[{"id":1,"situation":"offer","message":"yes","expect":{"label":"yes"}}]', 'Case 1 .+ expect.label'],
    ['[{"id":1,"situation":"pick","message":"5","expect":{"pick":5}}]', 'Case 1 .+ expect.pick'],
    ['[{"id":1,"situation":"offer","message":"2","expect":{"pick":2}}]', 'Case 1 .+ expect'],
    ['[{"id":1,"situation":"later","message":"2","expect":{"pick":2}}]', 'Case 1 .+ situation'],
    [JSON.stringify([examples[0], examples[0]]), 'Two cases have the id 1'],
  ])('%s is refused', (text, why) => {
    expect(() => parseCases(text)).toThrow(new RegExp(why))
  })
})

describe('the report', () => {
  const observed = {
    answeredBy: 'laptop-refresh',
    answer: 'Hello',
    agents: ['router', 'laptop-refresh'],
    tools: [],
    flow: null,
    openApprovals: [],
    tickets: 0,
    modelCalls: 1,
    inputTokens: 300,
    outputTokens: 8,
    milliseconds: 12.4,
  }
  const hostile: Case = {
    id: 7,
    situation: 'first-message',
    message: 'a | b\n<script> [x](y) `z`',
    expect: { agent: 'it-help' },
  }
  const run: Run = {
    file: 'paraphrases.json',
    fileHash: 'ab'.repeat(32),
    date: new Date('2026-11-24T10:00:00Z'),
    model: { name: 'local-lexical', local: true },
    machine: '2 × Processor',
    outcomes: [
      { case: caseOf(1), ran: true, right: true, got: { agent: 'laptop-refresh' }, observed },
      { case: hostile, ran: true, right: false, got: { agent: 'laptop-refresh' }, observed },
      { case: { ...caseOf(17), id: 8 }, ran: false, why: 'the model stayed away' },
      {
        case: caseOf(22),
        ran: true,
        right: false,
        got: { product: 'Figma / Figma Professional', seats: null, cost_centre: 'cc-1234', justification: true },
        observed: { ...observed, modelCalls: 3 },
      },
    ],
  }

  test('is a page', () => {
    const page = writePage(run)
    expect(page).toContain('| first-message | 2 | 1 | 50.0 | 0 | 1.00 | 300 + 8 |')
    expect(page).toContain('| confirm | 1 | 0 | 0.0 | 0 | – | – + – |')
    expect(page).toContain('| all | 4 | 1 | 25.0 | 0 | 1.67 | 300 + 8 |')
    expect(page).toContain('| seats | 1 | 0 |')
    expect(page).toContain('| cost_centre | 1 | 1 |')
    expect(page).toContain('saw neither the flows nor the code')
    expect(page).toContain('no language model')
    expect(page).toContain('- Date: 2026-11-24')
    expect(page).toContain('| 7 | first-message | a \\| b \\<script\\> \\[x\\](y) \\`z\\` | agent: "it-help" |')
    expect(page).toContain('| 8 | the model stayed away |')
  })

  test('claims for another file or model only what is known of it', () => {
    const page = writePage({ ...run, file: 'example.json', model: { name: 'qwen', local: false } })
    expect(page).not.toContain('saw neither')
    expect(page).not.toContain('lexical')
    expect(page).toContain('- Model: qwen')
  })

  test('is text for a terminal', () => {
    const text = writeText(run)
    expect(text).toContain('miss  7  first-message  "a | b\\n<script> [x](y) `z`"')
    expect(text).toContain('expected agent: "it-help"\n      got      agent: "laptop-refresh"')
    expect(text).toContain('not run  8  confirm')
    expect(text).toMatch(/^all +4 +1 +25\.0/m)
    expect(text).toContain('machine  2 × Processor')
  })

  test('is JSON', () => {
    expect(JSON.parse(writeJson(run))).toMatchObject({
      file: 'paraphrases.json',
      model: { name: 'local-lexical', local: true },
      figures: [{ situation: 'first-message', messages: 2, right: 1 }, {}, {}, { situation: 'all', notRun: 1 }],
      cases: [{ id: 1, right: true, answer: 'Hello', milliseconds: 12 }, { id: 7 }, { id: 8, ran: false }, { id: 22 }],
    })
  })
})

describe('a patient model', () => {
  const answer = { value: 'fruit', raw: '', promptHash: '', messages: [], usage: { inputTokens: 1, outputTokens: 1 } }
  const question = { message: 'apple', asked: null, labels: [] }
  const never = new AbortController().signal

  function failing(faults: Fault[]): { model: Model; calls: () => number } {
    let calls = 0
    const decide = async () => {
      calls += 1
      const fault = faults.shift()
      if (fault !== undefined) throw fault
      return { ...answer, milliseconds: 1 }
    }
    const unused = async () => {
      throw new Error('not asked')
    }
    return { model: { decide, extract: unused, compose: unused }, calls: () => calls }
  }

  test('waits for what passes', async () => {
    const { model, calls } = failing([new Fault('model.overloaded', 'full'), new Fault('model.timeout', 'slow')])
    expect((await patient(model, [1, 1, 1]).decide(question, never)).value).toBe('fruit')
    expect(calls()).toBe(3)
  })

  test('waits no longer than it was told', async () => {
    const { model, calls } = failing([1, 2, 3].map(() => new Fault('model.overloaded', 'full')))
    await expect(patient(model, [1, 1]).decide(question, never)).rejects.toThrow('full')
    expect(calls()).toBe(3)
  })

  test('does not wait for what never passes', async () => {
    const { model, calls } = failing([new Fault('model.misconfigured', 'wrong key')])
    await expect(patient(model, [60_000]).decide(question, never)).rejects.toThrow('wrong key')
    expect(calls()).toBe(1)
  })
})

describe('the command', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'self-service-agent-evaluation-test-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function run(argv: string[], environment: Record<string, string> = {}) {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'run.ts'), ...argv], {
      env: { PATH: process.env['PATH'], ...environment },
      stdio: 'pipe',
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (text) => {
      stdout += text
    })
    child.stderr.on('data', (text) => {
      stderr += text
    })
    const [code] = await once(child, 'close')
    return { code, stdout, stderr }
  }

  async function fileOf(name: string, cases: unknown): Promise<string> {
    const file = join(folder, name)
    await writeFile(file, JSON.stringify(cases))
    return file
  }

  test('ends well whatever the figure is', async () => {
    const file = await fileOf('half.json', [caseOf(13), withWrongExpectation(caseOf(18))])
    const { code, stdout, stderr } = await run([file])
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^miss {2}18 {2}confirm {2}"no"/m)
    expect(stdout).toMatch(/^all +2 +1 +50\.0/m)
    expect(stdout).toContain('local-lexical (local/model: lexical, no language model)')
    expect(code).toBe(0)
  })

  test('fails where a message could not be run', async () => {
    // Answers the trial question at the start as a model would, and refuses everything after it.
    let asked = 0
    const server = createServer((request, response) => {
      request.resume()
      asked += 1
      response.writeHead(asked === 1 ? 200 : 400, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify({
          id: 'c',
          object: 'chat.completion',
          created: 0,
          model: 'tiny',
          choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: '{"label":"fruit"}' } }],
        }),
      )
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const file = await fileOf('away.json', [caseOf(1), caseOf(13)])
    const { code, stdout } = await run([file], { LLM_URL: `http://127.0.0.1:${port}/v1`, LLM_MODEL: 'tiny' })
    server.close()
    expect(stdout).toContain('not run  1  first-message')
    expect(stdout).toMatch(/^model +tiny$/m)
    expect(code).toBe(1)
  })

  test('says what is wrong with its arguments and its file', async () => {
    expect(await run([])).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^Usage: /) })
    expect(await run([join(folder, 'none.json')])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('cannot be read'),
    })
    const file = await fileOf('bad.json', [{ id: 1 }])
    expect(await run([file])).toMatchObject({ code: 1, stderr: expect.stringContaining('Case 1') })
    const good = await fileOf('good.json', [caseOf(1)])
    expect(await run([good], { LLM_URL: 'http://127.0.0.1:1/v1' })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('LLM_MODEL'),
    })
  })
})

function caseOf(id: number): Case {
  const found = examples.find((item) => item.id === id)
  if (found === undefined) throw new Error(`example.json has no case ${id}`)
  return found
}

function withWrongExpectation(item: Case): Case {
  switch (item.situation) {
    case 'first-message':
      return { ...item, expect: { agent: item.expect.agent === 'unsure' ? 'it-help' : 'unsure' } }
    case 'offer':
      return { ...item, expect: { label: item.expect.label === 'back' ? 'question' : 'back' } }
    case 'pick':
      return { ...item, expect: { pick: item.expect.pick === null ? 1 : null } }
    case 'confirm':
      return { ...item, expect: { answer: item.expect.answer === 'neither' ? 'no' : 'neither' } }
    case 'licence-details':
      return { ...item, expect: wrongDetails(item.expect, item.id) }
  }
}

/** One field is wrong, another one for each case. */
function wrongDetails(expect: Extract<Case, { situation: 'licence-details' }>['expect'], id: number): typeof expect {
  switch (id % 4) {
    case 0:
      return { ...expect, product: expect.product === null ? 'Figma' : null }
    case 1:
      return { ...expect, seats: (expect.seats ?? 0) + 1 }
    case 2:
      return { ...expect, cost_centre: expect.cost_centre === null ? 'CC-0001' : null }
    default:
      return { ...expect, justification: !expect.justification }
  }
}
