import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fault } from '../../shared/errors/fault.ts'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { findEmployee } from './employee.ts'
import { orderItem } from './requests.ts'
import { createRest } from './rest.ts'
import { type Doors, startDoors } from './testing/start-doors.ts'

let store: TestDatabase
let marking: Doors
let forgetful: Doors

beforeAll(async () => {
  store = await createTestDatabase()
  marking = await startDoors(store.database, { count: 2, settings: { timeoutMs: 120 } })
  forgetful = await startDoors(store.database, { count: 2, settings: { timeoutMs: 120 } })
  forgetful.mock.recordCorrelation(false)
})
afterAll(async () => {
  await marking.close()
  await forgetful.close()
  await store.drop()
})

const tool = 'open_help_request'
const person = 'alice.johnson@company.com'
const paths = ['/api/now/table/sys_user', '/api/now/table/sc_req', '/api/sn_sc/'] as const
// Only a refusal in ServiceNow's own words, or a connection that was never made, says for certain that nothing was filed.
const certain = ['401', '404'] as const
const uncertain = ['429', '500', '503', 'garbage', 'hang', 'reset', 'reset-after-commit'] as const
const path = fc.oneof({ weight: 2, arbitrary: fc.constant('/api/sn_sc/') }, fc.constantFrom(...paths))
const fault = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom(...certain), path }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom(...uncertain), path, commit: fc.boolean() }) },
)
const event = fc.record({
  faults: fc.array(fault, { maxLength: 2 }),
  /** After how many requests ServiceNow's address refuses connections. */
  refuseAfter: fc.option(fc.nat(4), { nil: Number.POSITIVE_INFINITY, freq: 2 }),
  /** Whether the employee files the same thing by another way first. */
  another: fc.boolean(),
  forwardMs: fc.constantFrom(0, 0, 0, 1_000, 30_000, 66_000),
  callers: fc.array(fc.constantFrom(0, 1), { minLength: 1, maxLength: 3 }),
})
const passing = ['tool.unavailable', 'tool.timeout', 'tool.in-progress', 'tool.outcome-unknown']
type Answer = { ok: true; value: unknown } | { ok: false; code: string }

const calm = (doors: Doors) =>
  createRest({ url: doors.mock.url, apiKey: 'key', apiKeyHeader: 'x-sn-apikey', timeoutMs: 30_000 })

async function fileAnother(doors: Doors): Promise<void> {
  const { sysId } = await findEmployee(calm(doors), person)
  const order = { item: 'mock_help_request_id', person: sysId, variables: { summary: 'Another' } }
  const answer = await orderItem(calm(doors), { ...order, correlationId: randomUUID() })
  expect(answer.kind).toBe('answered')
}

/** Lets everything of a run happen to one write; gives its answers, the last one in peace, and the tickets it opened. */
async function run(doors: Doors, summary: string, events: (typeof event extends fc.Arbitrary<infer E> ? E : never)[]) {
  // What another run left without a mark must not be taken for what this one filed.
  doors.clock.forward(600_000)
  const given = { summary }
  const approval = doors.approve(tool, given)
  const call = (door: number): Promise<Answer> =>
    doors.call(tool, given, { person, approval, door }).catch((error: unknown) => {
      if (Fault.is(error)) return { ok: false as const, code: error.code }
      throw error
    })
  const answers: Answer[] = []
  for (const { faults, refuseAfter, another, forwardMs, callers } of events) {
    if (another) await fileAnother(doors)
    for (const fault of faults) doors.mock.faults.add(fault)
    doors.clock.forward(forwardMs)
    doors.refuseAfter(refuseAfter)
    answers.push(...(await Promise.all(callers.map(call))))
    doors.reconnect()
    doors.mock.faults.clear()
    // An order that was given up on the way arrives before the clock moves.
    await findEmployee(calm(doors), person)
  }
  doors.clock.forward(66_000)
  let last = await call(0)
  answers.push(last)
  // On a busy machine even what happens in peace may take too long. Without correlation ids the unknown stays unknown.
  const open = doors === marking ? passing : passing.slice(0, 3)
  for (let again = 0; again < 10 && !last.ok && open.includes(last.code); again += 1) {
    last = await call(0)
    answers.push(last)
  }
  return { answers, last, filed: doors.mock.tickets().filter((ticket) => ticket.variables['summary'] === summary) }
}

let runs = 0

test.each([
  ['records correlation ids', () => marking, 40],
  ['records none', () => forgetful, 60],
] as const)(
  'with a ServiceNow that %s a key files at most once, whatever goes wrong in whatever order, and no answer contradicts what was filed',
  async (_what, doorsOf, numRuns) => {
    const doors = doorsOf()
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 4 }), async (events) => {
        runs += 1
        const { answers, last, filed } = await run(doors, `Run ${runs}`, events)
        expect(filed.length).toBeLessThanOrEqual(1)
        for (const answer of answers) {
          if (answer.ok) expect(answer.value).toMatchObject({ number: filed[0]?.number })
          else if (filed.length === 1) expect(passing).toContain(answer.code)
        }
        if (doors === marking) expect(last.ok).toBe(filed.length === 1)
        // Nothing to look up by: what was seen to be filed stays so, and anything else may only be left to a person.
        else if (answers.some((answer) => answer.ok)) expect(last.ok).toBe(true)
      }),
      { numRuns },
    )
  },
)
