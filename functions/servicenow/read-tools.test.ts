import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { employees } from '../../local/servicenow/employees.ts'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { type Doors, startDoors } from './testing/start-doors.ts'

let store: TestDatabase
let doors: Doors

beforeAll(async () => {
  store = await createTestDatabase()
  doors = await startDoors(store.database, { settings: { timeoutMs: 1_000 } })
})
afterEach(() => doors.mock.faults.clear())
afterAll(async () => {
  await doors.close()
  await store.drop()
})

const laptopOf = (person: string) => doors.call('get_employee_laptop_info', {}, { person })

test('an employee is told who they are, where, and how old their laptop is', async () => {
  expect(await laptopOf('alice.johnson@company.com')).toEqual({
    ok: true,
    value: {
      employee_id: '1001',
      name: 'Alice Johnson',
      email: 'alice.johnson@company.com',
      location: 'EMEA',
      region: 'EMEA',
      laptop: {
        model: 'Latitude 7420',
        serial_number: 'DL7420001',
        purchase_date: '2020-01-15',
        age_months: 82,
        age_text: '6 years and 10 months',
        warranty_expiry: '2023-01-15',
        warranty_status: 'Expired',
      },
    },
  })
})

test('those who are too early stay too early, whatever the date', async () => {
  const months = async (person: string) => {
    const outcome = await laptopOf(person)
    return JSON.stringify(outcome).match(/"age_months":(\d+)/)?.[1]
  }
  for (const days of [0, 400, 4000]) {
    doors.clock.forward(days * 86_400_000)
    expect(await months('john.doe@company.com')).toBe('14')
    expect(await months('david.chen@company.com')).toBe('20')
    expect(await months('michael.nguyen@company.com')).toBe('8')
    doors.clock.forward(-days * 86_400_000)
  }
})

test('every active employee can be read, and offices without a region name have one', async () => {
  const regions: Record<string, unknown> = {}
  for (const employee of employees.filter((candidate) => candidate.active)) {
    const outcome = await laptopOf(employee.email)
    expect(outcome).toMatchObject({ ok: true, value: { name: employee.name, email: employee.email } })
    regions[employee.location] = outcome.ok && (outcome.value as { region: unknown }).region
  }
  expect(regions).toEqual({
    EMEA: 'EMEA',
    LATAM: 'LATAM',
    APAC: 'APAC',
    NA: 'NA',
    'San Francisco Office': 'NA',
    'London Office': 'EMEA',
    'Tokyo Office': 'APAC',
    'Sydney Office': 'APAC',
    Remote: null,
  })
})

test('an employee without a computer has no laptop', async () => {
  expect(await laptopOf('priya.patel@company.com')).toMatchObject({ ok: true, value: { laptop: null } })
})

test.each([
  ['nobody@company.com', 'employee.unknown'],
  ['frank.weber@company.com', 'employee.inactive'],
])('%s is %s', async (person, code) => {
  expect(await laptopOf(person)).toMatchObject({ ok: false, code })
})

test('open requests are listed, newest first, and only the own ones', async () => {
  const orders = [
    ['open_help_request', { summary: 'My badge is broken' }, 'maria.garcia@company.com'],
    ['open_help_request', { summary: 'Mine' }, 'bob.wilson@company.com'],
    [
      'open_licence_request',
      { product: 'Figma', seats: 2, cost_centre: 'CC-1234', justification: 'Design' },
      'bob.wilson@company.com',
    ],
  ] as const
  for (const [tool, given, person] of orders) {
    doors.clock.forward(1000)
    expect(await doors.call(tool, given, { person, approval: doors.approve(tool, given) })).toMatchObject({ ok: true })
  }
  const outcome = await doors.call('list_open_requests', {}, { person: 'bob.wilson@company.com' })
  expect(outcome).toEqual({
    ok: true,
    value: {
      requests: [
        {
          number: 'REQ0010003',
          item: 'Software licence',
          state: 'Open',
          opened_at: '2026-11-24T08:00:03.000Z',
          summary: 'Software licence',
        },
        expect.objectContaining({ number: 'REQ0010002', item: 'Help from the service desk' }),
      ],
    },
  })
})

test.each([
  ['503', 'tool.unavailable'],
  ['500', 'tool.unavailable'],
  ['429', 'tool.unavailable'],
  ['reset', 'tool.unavailable'],
  ['garbage', 'tool.unavailable'],
  ['hang', 'tool.timeout'],
] as const)('a read that meets %s may be tried again: %s', async (kind, code) => {
  doors.mock.faults.add({ kind, retry_after: 7 })
  const failure = laptopOf('alice.johnson@company.com')
  await expect(failure).rejects.toMatchObject({ code, class: 'retryable' })
  if (kind === '429') await expect(failure).rejects.toMatchObject({ retryAfter: 7 })
  expect(await laptopOf('alice.johnson@company.com')).toMatchObject({ ok: true })
})

test.each([
  ['401', 'tool.refused'],
  ['404', 'tool.refused'],
  ['huge', 'tool.answer-too-large'],
] as const)('a read that meets %s fails for good: %s', async (kind, code) => {
  doors.mock.faults.add({ kind })
  expect(await laptopOf('alice.johnson@company.com')).toMatchObject({ ok: false, code })
})

test('the API key and the tokens are in no log line', () => {
  expect(doors.logged.length).toBeGreaterThan(5)
  expect(doors.logged.filter((line) => line.includes('the-secret-key') || line.includes('eyJ'))).toEqual([])
})

test("an employee's manager is whom ServiceNow names, never whom anybody says", async () => {
  const managerOf = (person: string, given = {}) => doors.call('get_manager', given, { person })
  expect(await managerOf('alice.johnson@company.com')).toEqual({
    ok: true,
    value: { manager: { name: 'Jane Smith', email: 'jane.smith@company.com' } },
  })
  expect(await managerOf('jane.smith@company.com')).toEqual({ ok: true, value: { manager: null } })
  expect(await managerOf('nobody@company.com')).toMatchObject({ ok: false, code: 'employee.unknown' })
  expect(await managerOf('alice.johnson@company.com', { email: 'x@company.com' })).toMatchObject({ ok: false })
})
