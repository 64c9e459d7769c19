import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fault } from '../../shared/errors/fault.ts'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { type Doors, startDoors } from './testing/start-doors.ts'

let store: TestDatabase
let doors: Doors

beforeAll(async () => {
  store = await createTestDatabase()
  doors = await startDoors(store.database, { count: 2, settings: { timeoutMs: 60 } })
})
afterAll(async () => {
  await doors.close()
  await store.drop()
})

const given = { summary: 'Please help' }
const paths = ['/api/now/table/sys_user', '/api/now/table/sc_request', '/api/sn_sc/'] as const
// What says no for certain must mean it; everything else may have taken effect.
const certain = ['429', '401'] as const
const uncertain = ['500', '503', 'garbage', 'hang', 'reset', 'reset-after-commit'] as const
const path = fc.constantFrom(...paths)
const fault = fc.oneof(
  fc.record({ kind: fc.constantFrom(...certain), path }),
  fc.record({ kind: fc.constantFrom(...uncertain), path, commit: fc.boolean() }),
)
const event = fc.record({
  faults: fc.array(fault, { maxLength: 3 }),
  forwardMs: fc.constantFrom(0, 0, 1_000, 30_000, 66_000),
  callers: fc.array(fc.constantFrom(0, 1), { minLength: 1, maxLength: 3 }),
})

test('whatever goes wrong in whatever order, a key files at most once and no answer contradicts what was filed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 4 }), async (events) => {
      const approval = doors.approve('open_help_request', given)
      const call = (door: number) =>
        doors.call('open_help_request', given, { approval, door }).catch((error: unknown) => {
          if (Fault.is(error)) return { ok: false as const, code: error.code, message: '' }
          throw error
        })
      const answers = []
      for (const { faults, forwardMs, callers } of events) {
        for (const fault of faults) doors.mock.faults.add(fault)
        doors.clock.forward(forwardMs)
        answers.push(...(await Promise.all(callers.map(call))))
        doors.mock.faults.clear()
      }
      doors.clock.forward(66_000)
      const last = await call(0)
      answers.push(last)

      const filed = doors.mock.tickets().filter((ticket) => ticket.correlation_id === approval.id)
      expect(filed.length).toBeLessThanOrEqual(1)
      expect(last.ok).toBe(filed.length === 1)
      const passing = ['tool.unavailable', 'tool.timeout', 'tool.in-progress', 'tool.outcome-unknown']
      for (const answer of answers) {
        if (answer.ok) expect(answer.value).toMatchObject({ number: filed[0]?.number })
        else if (filed.length === 1) expect(passing).toContain(answer.code)
      }
    }),
    { numRuns: 40 },
  )
})
