import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createLog } from '../../shared/telemetry/log.ts'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { claimWrite, releaseWrite, settleWrite } from './claim-write.ts'
import { type Filing, fileOnce } from './file-once.ts'
import { type Doors, startDoors } from './testing/start-doors.ts'

const tool = 'open_laptop_refresh_ticket'
const given = { servicenow_laptop_code: 'apple_mac_book_air_m_2', business_justification: 'The old one is slow' }
const orders = '/api/sn_sc/'
const users = '/api/now/table/sys_user'
const requests = '/api/now/table/sc_request'

let store: TestDatabase
let doors: Doors

beforeAll(async () => {
  store = await createTestDatabase()
})
beforeEach(async () => {
  doors = await startDoors(store.database, { count: 2 })
})
afterEach(() => doors.close())
afterAll(() => store.drop())

const posts = () => doors.mock.requests.filter((request) => request.startsWith('POST')).length
const stateOf = async (key: string) =>
  (await store.database<{ state: string; fence: number }[]>`select state, fence from writes where key = ${key}`)[0]

/** Waits until the mock has been asked for something. */
async function seen(request: string): Promise<void> {
  while (!doors.mock.requests.some((candidate) => candidate.startsWith(request))) await pause(5)
}

test('an approved ticket is filed once, with who it is for and the key, and a repetition answers the same', async () => {
  const approval = doors.approve(tool, given)
  const first = await doors.call(tool, given, { approval })
  const [ticket] = doors.mock.tickets()
  expect(first).toEqual({
    ok: true,
    value: {
      number: 'REQ0010001',
      sys_id: ticket?.sys_id,
      item: 'Laptop refresh',
      requested_for: 'alice.johnson@company.com',
      duplicate: false,
    },
  })
  expect(ticket).toMatchObject({
    correlation_id: approval.id,
    variables: { laptop_choices: 'apple_mac_book_air_m_2', business_justification: 'The old one is slow' },
  })
  doors.clock.forward(3_600_000)
  expect(await doors.call(tool, given, { approval, door: 1 })).toEqual(first)
  expect(doors.mock.tickets()).toHaveLength(1)
})

test.each([
  ['without an approval', {}],
  ['for other arguments', { argumentsHash: 'a'.repeat(64) }],
  ['for another tool', { tool: 'servicenow.open_help_request' }],
  ['for the same tool of another server', { tool: 'other.open_laptop_refresh_ticket' }],
])('a write %s is not made', async (_what, change) => {
  const approval = { ...doors.approve(tool, given), ...change }
  const options = Object.keys(change).length === 0 ? {} : { approval }
  expect(await doors.call(tool, given, options)).toMatchObject({ ok: false, code: 'tool.not-approved' })
  expect(posts()).toBe(0)
})

test('a key that was used for one write is not taken for another', async () => {
  const approval = doors.approve(tool, given)
  await doors.call(tool, given, { approval })
  const other = { ...given, servicenow_laptop_code: 'lenovo_think_pad_p_16_gen_2' }
  const swapped = { ...doors.approve(tool, other), id: approval.id }
  expect(await doors.call(tool, other, { approval: swapped })).toMatchObject({ ok: false, code: 'tool.not-approved' })
  const person = 'john.doe@company.com'
  expect(await doors.call(tool, given, { approval, person })).toMatchObject({ ok: false, code: 'tool.not-approved' })
  expect(doors.mock.tickets()).toHaveLength(1)
})

test('two instances that race for one key file one ticket', async () => {
  for (let round = 1; round <= 5; round += 1) {
    const approval = doors.approve(tool, given)
    const racers = [0, 1, 0, 1].map((door) => doors.call(tool, given, { approval, door }))
    const results = await Promise.allSettled(racers)
    const filed = results.flatMap((result) => (result.status === 'fulfilled' ? [JSON.stringify(result.value)] : []))
    const others = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []))
    expect(new Set(filed).size).toBe(1)
    expect(others.every((code) => code === 'tool.in-progress')).toBe(true)
    expect(doors.mock.tickets()).toHaveLength(round)
  }
})

test('after its not-after an approval files nothing any more, even for a caller whose clock is slow', async () => {
  const approval = doors.approve(tool, given)
  doors.clock.forward(60_000)
  expect(await doors.call(tool, given, { approval })).toMatchObject({ ok: false, code: 'approval.expired' })
  doors.clock.forward(-30_000)
  expect(await doors.call(tool, given, { approval })).toMatchObject({ ok: false, code: 'approval.expired' })
  expect(doors.mock.requests).toEqual([])
})

test('an owner that hangs past the not-after posts nothing when it wakes', async () => {
  const approval = doors.approve(tool, given)
  doors.mock.faults.add({ kind: 'slow', path: users, delay_ms: 200 })
  const owner = doors.call(tool, given, { approval })
  await seen(`GET ${users}`)
  doors.clock.forward(60_000)
  expect(await owner).toMatchObject({ ok: false, code: 'approval.expired' })
  expect(posts()).toBe(0)
})

test('an owner that wakes after a successor gave the write up neither posts nor contradicts it', async () => {
  const approval = doors.approve(tool, given)
  doors.mock.faults.add({ kind: 'slow', path: users, delay_ms: 300 })
  const owner = doors.call(tool, given, { approval })
  await seen(`GET ${users}`)
  doors.clock.forward(66_000)
  expect(await doors.call(tool, given, { approval, door: 1 })).toMatchObject({ ok: false, code: 'tool.refused' })
  expect(await owner).toMatchObject({ ok: false, code: 'tool.refused' })
  expect(posts()).toBe(0)
})

test.each(['reset-after-commit', '500', '503', 'garbage', 'huge', 'hang'] as const)(
  'an answer lost to %s after the ticket was opened is found again, and the ticket stays the only one',
  async (kind) => {
    const approval = doors.approve(tool, given)
    doors.mock.faults.add({ kind, path: orders, commit: true })
    await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code: 'tool.in-progress' })
    expect(await doors.call(tool, given, { approval, door: 1 })).toMatchObject({
      ok: true,
      value: { number: doors.mock.tickets()[0]?.number, duplicate: false },
    })
    expect(doors.mock.tickets()).toHaveLength(1)
    expect(posts()).toBe(1)
  },
)

test('an order that was lost on the way counts as not filed only once no POST can be under way', async () => {
  const approval = doors.approve(tool, given)
  doors.mock.faults.add({ kind: 'reset', path: orders })
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code: 'tool.in-progress' })
  // The not-after, the time that a POST may take, and the allowance: 60 s + 0.4 s + 5 s.
  doors.clock.forward(65_399)
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({
    code: 'tool.in-progress',
    class: 'retryable',
    retryAfter: 1,
  })
  doors.clock.forward(1)
  const refused = await doors.call(tool, given, { approval })
  expect(refused).toMatchObject({
    ok: false,
    code: 'tool.refused',
    message: expect.stringMatching('nothing was filed'),
  })
  expect(await doors.call(tool, given, { approval, door: 1 })).toEqual(refused)
  expect(posts()).toBe(1)
})

test('a write whose look-up fails is parked for a person, and ends as filed once it can be looked up', async () => {
  const approval = doors.approve(tool, given)
  doors.mock.faults.add({ kind: 'reset-after-commit', path: orders })
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code: 'tool.in-progress' })
  doors.mock.faults.add({ kind: '503', path: requests, count: 2 })
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code: 'tool.in-progress' })
  doors.clock.forward(65_400)
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({
    code: 'tool.outcome-unknown',
    class: 'ambiguous',
  })
  expect(await stateOf(approval.id)).toMatchObject({ state: 'unknown' })
  expect(await doors.call(tool, given, { approval })).toMatchObject({ ok: true })
  expect(await stateOf(approval.id)).toMatchObject({ state: 'done' })
  expect(posts()).toBe(1)
})

test('on an instance that records no correlation id, a ticket that may be the one leaves the outcome unknown', async () => {
  const approval = doors.approve(tool, given)
  doors.mock.recordCorrelation(false)
  doors.mock.faults.add({ kind: 'reset-after-commit', path: orders })
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code: 'tool.in-progress' })
  doors.clock.forward(65_400)
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code: 'tool.outcome-unknown' })
  expect(posts()).toBe(1)
})

test('an order whose connection was refused may be posted again before the not-after', async () => {
  const approval = doors.approve(tool, given)
  doors.refuseAfter(1)
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code: 'tool.unavailable' })
  expect(doors.mock.requests).toEqual([`GET ${users}`])
  expect(await stateOf(approval.id)).toMatchObject({ state: 'released', fence: 1 })
  doors.reconnect()
  expect(await doors.call(tool, given, { approval, door: 1 })).toMatchObject({ ok: true })
  expect(await stateOf(approval.id)).toMatchObject({ state: 'done', fence: 2 })
  expect(doors.mock.tickets()).toHaveLength(1)
})

test('a released write is not posted after its not-after', async () => {
  const approval = doors.approve(tool, given)
  doors.refuseAfter(1)
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code: 'tool.unavailable' })
  doors.reconnect()
  doors.clock.forward(60_000)
  expect(await doors.call(tool, given, { approval })).toMatchObject({ ok: false, code: 'approval.expired' })
  expect(await stateOf(approval.id)).toMatchObject({ state: 'refused' })
  expect(doors.mock.tickets()).toHaveLength(0)
})

test('an order that was answered 429 is not posted again, and not filed once that is certain', async () => {
  const approval = doors.approve(tool, given)
  doors.mock.faults.add({ kind: '429', path: orders })
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code: 'tool.in-progress' })
  expect(await stateOf(approval.id)).toMatchObject({ state: 'claimed', fence: 1 })
  await expect(doors.call(tool, given, { approval, door: 1 })).rejects.toMatchObject({ code: 'tool.in-progress' })
  doors.clock.forward(65_400)
  expect(await doors.call(tool, given, { approval })).toMatchObject({ ok: false, code: 'tool.refused' })
  expect(posts()).toBe(1)
})

test('an order that was answered 429 although it got through is found', async () => {
  const approval = doors.approve(tool, given)
  doors.mock.faults.add({ kind: '429', path: orders, commit: true })
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code: 'tool.in-progress' })
  expect(await doors.call(tool, given, { approval })).toMatchObject({ ok: true, value: { number: 'REQ0010001' } })
  expect(posts()).toBe(1)
})

test('where no correlation id is recorded, an order that got through behind a 429 stays the only one', async () => {
  const approval = doors.approve(tool, given)
  doors.mock.recordCorrelation(false)
  doors.mock.faults.add({ kind: '429', path: orders, commit: true })
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code: 'tool.in-progress' })
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code: 'tool.in-progress' })
  doors.clock.forward(65_400)
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code: 'tool.outcome-unknown' })
  expect(doors.mock.tickets()).toHaveLength(1)
})

/** A write whose first owner released it, and beside it a ticket that may be what an owner before this one filed. */
async function releaseBeside(): Promise<{ approval: ReturnType<Doors['approve']> }> {
  doors.mock.recordCorrelation(false)
  await doors.call(tool, given, { approval: doors.approve(tool, given) })
  const approval = doors.approve(tool, given)
  doors.refuseAfter(1)
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code: 'tool.unavailable' })
  expect(await stateOf(approval.id)).toMatchObject({ state: 'released' })
  doors.reconnect()
  return { approval }
}

test('an owner after a release who cannot tell what was filed posts nothing and leaves it to a person', async () => {
  const { approval } = await releaseBeside()
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code: 'tool.outcome-unknown' })
  expect(await stateOf(approval.id)).toMatchObject({ state: 'unknown', fence: 2 })
  expect(posts()).toBe(1)
})

test.each(['401', '404', 'huge'] as const)(
  'an owner after a release whose look-up fails for good (%s) posts nothing and leaves it to a person',
  async (kind) => {
    const { approval } = await releaseBeside()
    doors.mock.faults.add({ kind, path: requests })
    await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code: 'tool.outcome-unknown' })
    expect(posts()).toBe(1)
  },
)

test('an owner after a release whose look-up fails for now gives the write back', async () => {
  const { approval } = await releaseBeside()
  doors.mock.faults.add({ kind: '429', path: requests, retry_after: 3 })
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({
    code: 'tool.unavailable',
    retryAfter: 3,
  })
  expect(await stateOf(approval.id)).toMatchObject({ state: 'released', fence: 2 })
  expect(posts()).toBe(1)
})

test('an order that was filed after all is said to be filed, although its write had been given up', async () => {
  const approval = doors.approve(tool, given)
  const write = { ...approval, key: approval.id, person: 'alice.johnson@company.com' }
  const filed = { number: 'REQ1', sys_id: 'a', item: 'Laptop', requested_for: write.person, duplicate: false }
  const posted = Promise.withResolvers<void>()
  const answered = Promise.withResolvers<void>()
  const filing: Filing<null> = {
    prepare: async () => ({ kind: 'order', order: null }),
    async post() {
      posted.resolve()
      await answered.promise
      return { kind: 'answered', value: filed }
    },
    find: async () => ({ kind: 'absent' }),
  }
  const lines: string[] = []
  const log = createLog({}, { level: 'error', write: (line) => void lines.push(line) })
  const file = () => fileOnce(write, filing, { sql: store.database, now: doors.clock.now, log, timeoutMs: 400 })

  const owner = file()
  await posted.promise
  doors.clock.forward(65_400)
  await expect(file()).rejects.toMatchObject({ code: 'tool.refused' })
  answered.resolve()
  expect(await owner).toEqual(filed)
  expect(await file()).toEqual(filed)
  expect(lines).toEqual([expect.stringContaining('REQ1')])
})

test('a key is one key however its letters are written', async () => {
  const approval = doors.approve(tool, given)
  doors.mock.faults.add({ kind: 'reset-after-commit', path: orders })
  const loud = { ...approval, id: approval.id.toUpperCase() }
  await expect(doors.call(tool, given, { approval: loud })).rejects.toMatchObject({ code: 'tool.in-progress' })
  expect(await doors.call(tool, given, { approval })).toMatchObject({ ok: true })
  expect(posts()).toBe(1)
})

test('a write that was released keeps its first not-after, whatever a later token says', async () => {
  const approval = doors.approve(tool, given)
  const write = { ...approval, key: approval.id, person: 'alice.johnson@company.com' }
  const owned = await claimWrite(store.database, write, doors.clock.now())
  expect(owned.kind === 'owned' && owned.fence).toBe(1)
  await releaseWrite(store.database, write.key, 1)
  const longer = { ...write, notAfter: new Date(write.notAfter.getTime() + 60_000) }
  doors.clock.forward(59_999)
  expect(await claimWrite(store.database, longer, doors.clock.now())).toMatchObject({
    kind: 'owned',
    fence: 2,
    notAfter: write.notAfter,
  })
  await releaseWrite(store.database, write.key, 2)
  doors.clock.forward(1)
  expect(await claimWrite(store.database, longer, doors.clock.now())).toMatchObject({
    kind: 'settled',
    settled: { outcome: { code: 'approval.expired' } },
  })
})

test('an owner whose claim was taken over ends nothing', async () => {
  const approval = doors.approve(tool, given)
  const write = { ...approval, key: approval.id, person: 'alice.johnson@company.com' }
  await claimWrite(store.database, write, doors.clock.now())
  await releaseWrite(store.database, write.key, 1)
  await claimWrite(store.database, write, doors.clock.now())
  const late = { state: 'refused' as const, outcome: { code: 'tool.refused' as const } }
  expect(await settleWrite(store.database, write.key, 1, late, doors.clock.now())).toMatchObject({
    kind: 'held',
    fence: 2,
  })
  await releaseWrite(store.database, write.key, 1)
  expect(await stateOf(approval.id)).toMatchObject({ state: 'claimed', fence: 2 })
})

test('with ServiceNow away nothing is claimed for long: the write passes when it is back', async () => {
  const approval = doors.approve(tool, given)
  doors.mock.faults.add({ kind: '503', path: users })
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code: 'tool.unavailable' })
  expect(await doors.call(tool, given, { approval })).toMatchObject({ ok: true })
  expect(doors.mock.tickets()).toHaveLength(1)
})

test.each(['401', '404'] as const)('an order that ServiceNow refuses with %s is refused for good', async (kind) => {
  const approval = doors.approve(tool, given)
  doors.mock.faults.add({ kind, path: orders })
  const refused = await doors.call(tool, given, { approval })
  expect(refused).toMatchObject({ ok: false, code: 'tool.refused' })
  expect(await doors.call(tool, given, { approval })).toEqual(refused)
  expect(posts()).toBe(1)
})

test('an employee whom ServiceNow does not know files nothing', async () => {
  const person = 'nobody@company.com'
  const approval = doors.approve(tool, given)
  expect(await doors.call(tool, given, { approval, person })).toMatchObject({ ok: false, code: 'employee.unknown' })
  expect(await stateOf(approval.id)).toMatchObject({ state: 'refused' })
  expect(posts()).toBe(0)
})

test('an owner that died before it posted leaves a write that was not filed, once that is certain', async () => {
  const approval = doors.approve(tool, given)
  const write = { ...approval, key: approval.id, person: 'alice.johnson@company.com' }
  expect(await claimWrite(store.database, write, doors.clock.now())).toMatchObject({ kind: 'owned', fence: 1 })
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code: 'tool.in-progress' })
  doors.clock.forward(65_400)
  expect(await doors.call(tool, given, { approval })).toMatchObject({ ok: false, code: 'tool.refused' })
  expect(posts()).toBe(0)
})

test.each([
  ['57P01', 'tool.unavailable'],
  ['22P05', 'tool.outcome-unknown'],
])('a result that could not be stored (%s) is %s, and found again', async (state, code) => {
  const approval = doors.approve(tool, given)
  await store.database.unsafe(`
    create function fail() returns trigger language plpgsql as $$ begin raise 'no' using errcode = '${state}'; end $$;
    create trigger fail before update on writes for each row when (new.state = 'done') execute function fail()`)
  await expect(doors.call(tool, given, { approval })).rejects.toMatchObject({ code })
  await store.database.unsafe('drop trigger fail on writes; drop function fail')
  expect(doors.mock.tickets()).toHaveLength(1)
  expect(await doors.call(tool, given, { approval })).toMatchObject({ ok: true })
  expect(posts()).toBe(1)
})
