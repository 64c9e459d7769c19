import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Json } from '../../shared/flow/json.ts'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { findEmployee } from './employee.ts'
import { orderItem } from './requests.ts'
import { createRest } from './rest.ts'
import type { Settings } from './settings.ts'
import { type Doors, startDoors } from './testing/start-doors.ts'

let store: TestDatabase
let doors: Doors

beforeAll(async () => {
  store = await createTestDatabase()
})
afterEach(() => doors.close())
afterAll(() => store.drop())

const refresh = 'open_laptop_refresh_ticket'
const laptop = (code: string) => ({ servicenow_laptop_code: code, business_justification: 'Old' })
const file = (tool: string, given: Record<string, Json>, person = 'alice.johnson@company.com') =>
  doors.call(tool, given, { person, approval: doors.approve(tool, given) })
const startWith = async (settings: Partial<Settings>) => {
  doors = await startDoors(store.database, { settings })
}

test('duplicates are filed unless they are to be avoided', async () => {
  await startWith({})
  expect(await file(refresh, laptop('a'))).toMatchObject({ value: { number: 'REQ0010001', duplicate: false } })
  expect(await file(refresh, laptop('a'))).toMatchObject({ value: { number: 'REQ0010002', duplicate: false } })
})

test('an open request for the same laptop is returned where duplicates are to be avoided', async () => {
  await startWith({ laptopAvoidDuplicates: true })
  expect(await file(refresh, laptop('a'), 'john.doe@company.com')).toMatchObject({ ok: true })
  const first = await file(refresh, laptop('a'))
  expect(first).toMatchObject({ ok: true, value: { number: 'REQ0010002', duplicate: false } })
  expect(await file(refresh, laptop('a'))).toEqual({
    ok: true,
    value: { ...(first.ok && (first.value as object)), duplicate: true },
  })
  expect(await file(refresh, laptop('b'))).toMatchObject({ value: { number: 'REQ0010003', duplicate: false } })
  expect(doors.mock.tickets()).toHaveLength(3)
})

test('an employee has as many open laptop requests as are allowed, other requests aside', async () => {
  await startWith({ laptopRequestLimit: 2, laptopAvoidDuplicates: true })
  expect(await file('open_help_request', { summary: 'Help' })).toMatchObject({ ok: true })
  expect(await file(refresh, laptop('a'))).toMatchObject({ ok: true })
  expect(await file(refresh, laptop('b'))).toMatchObject({ ok: true })
  expect(await file(refresh, laptop('c'))).toMatchObject({ ok: false, code: 'tool.limit-reached' })
  expect(await file(refresh, laptop('b'))).toMatchObject({ ok: true, value: { duplicate: true } })
  expect(await file(refresh, laptop('c'), 'john.doe@company.com')).toMatchObject({ ok: true })
  expect(doors.mock.tickets()).toHaveLength(4)
})

test('a high limit counts every open request, not one page of them', async () => {
  await startWith({ laptopRequestLimit: 130 })
  const rest = createRest({ url: doors.mock.url, apiKey: 'key', apiKeyHeader: 'x-sn-apikey', timeoutMs: 5_000 })
  const employee = await findEmployee(rest, 'alice.johnson@company.com')
  const order = { item: 'mock_laptop_refresh_id', person: employee.sysId, variables: { laptop_choices: 'a' } }
  for (let filed = 1; filed <= 129; filed += 1) await orderItem(rest, { ...order, correlationId: randomUUID() })
  expect(await file(refresh, laptop('a'))).toMatchObject({ ok: true })
  expect(await file(refresh, laptop('a'))).toMatchObject({ ok: false, code: 'tool.limit-reached' })
})

test('a licence is ordered with its variables, with and without a manager', async () => {
  await startWith({})
  const licence = { product: 'Figma', seats: 3, cost_centre: 'CC-1234', justification: 'Design work' }
  expect(await file('open_licence_request', { ...licence, manager: 'bob.wilson@company.com' })).toMatchObject({
    ok: true,
    value: { item: 'Software licence', requested_for: 'alice.johnson@company.com' },
  })
  expect(await file('open_licence_request', { ...licence, manager: null })).toMatchObject({ ok: true })
  expect(await file('open_licence_request', licence)).toMatchObject({ ok: true })
  const ordered = doors.mock.tickets().map((ticket) => ({ ...ticket.variables, who_is_this_request_for: undefined }))
  expect(ordered).toEqual([
    {
      product: 'Figma',
      seats: '3',
      cost_centre: 'CC-1234',
      justification: 'Design work',
      manager: 'bob.wilson@company.com',
    },
    { product: 'Figma', seats: '3', cost_centre: 'CC-1234', justification: 'Design work' },
    { product: 'Figma', seats: '3', cost_centre: 'CC-1234', justification: 'Design work' },
  ])
})

test.each<[string, Record<string, Json>]>([
  [refresh, { ...laptop('a'), employee: 'john.doe@company.com' }],
  [refresh, laptop('A code; drop table')],
  [refresh, { servicenow_laptop_code: 'a' }],
  ['open_licence_request', { product: 'Figma', seats: 0, cost_centre: 'CC-1234', justification: 'x' }],
  ['open_licence_request', { product: 'Figma', seats: '3', cost_centre: 'CC-1234', justification: 'x' }],
  ['open_help_request', { summary: '' }],
  ['open_everything', {}],
])('%s is not called with %j', async (tool, given) => {
  await startWith({})
  expect(await file(tool, given)).toMatchObject({ ok: false, code: 'tool.refused' })
  expect(doors.mock.requests).toEqual([])
})
