import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { employees } from '../../local/servicenow/employees.ts'
import { startServiceNow } from '../../local/servicenow/start.ts'
import { findEmployee, readLaptopInfo } from './employee.ts'
import { findRequest, hasUnmarkedRequest, readOpenLaptopRequests, readOpenRequests } from './requests.ts'
import { createRest, type Rest } from './rest.ts'

// An instance that ignores a term which it does not know, as ServiceNow does, and answers with other people's records.
const rows: Record<string, Record<string, unknown>[]> = {
  sys_user: [{ sys_id: '1', name: 'Bob', email: 'bob@company.com', active: { value: 'true', display_value: 'true' } }],
  sc_request: [{ number: 'REQ0000001', sys_id: '2', correlation_id: 'of-another-write' }],
  sc_req_item: [
    {
      request: '2',
      'request.number': 'REQ0000001',
      'request.requested_for': '9',
      cat_item: 'laptop',
      'variables.laptop_choices': 'a',
      opened_at: '2026-11-24 08:00:00',
    },
  ],
  cmdb_ci_computer: [{ assigned_to: '9', serial_number: 'OF-SOMEBODY-ELSE' }],
}
const careless = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://careless')
  const fields = searchParams.get('sysparm_fields')?.split(',') ?? []
  const pick = (row: Record<string, unknown>) =>
    Object.fromEntries(fields.flatMap((field) => (field in row ? [[field, row[field]]] : [])))
  response.end(JSON.stringify({ result: rows[pathname.split('/').at(-1) ?? '']?.map(pick) }))
})
let rest: Rest

beforeAll(async () => {
  careless.listen(0, '127.0.0.1')
  await once(careless, 'listening')
  const address = careless.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  rest = restOf(`http://127.0.0.1:${port}`)
})
afterAll(() => {
  careless.close()
  careless.closeAllConnections()
})

const restOf = (url: string) => createRest({ url, apiKey: 'secret', apiKeyHeader: 'x-sn-apikey', timeoutMs: 1_000 })

test('a record of somebody else is nobody’s', async () => {
  await expect(findEmployee(rest, 'alice@company.com')).rejects.toMatchObject({ code: 'employee.unknown' })
  await expect(findEmployee(rest, 'bob@company.com')).resolves.toMatchObject({ sysId: '1' })
})

test('a request under another correlation id was not filed by this write, and proves that nothing is known', async () => {
  expect(await findRequest(rest, 'of-this-write')).toEqual({ kind: 'undecided' })
  expect(await findRequest(rest, 'of-another-write')).toEqual({
    kind: 'found',
    request: { number: 'REQ0000001', sysId: '2' },
  })
})

test('what belongs to somebody else is neither shown nor counted', async () => {
  const now = new Date('2026-11-24T08:00:00Z')
  await expect(readOpenRequests(rest, '1')).rejects.toMatchObject({ code: 'tool.answer-invalid' })
  await expect(readOpenLaptopRequests(rest, '1', 'laptop')).rejects.toMatchObject({ code: 'tool.answer-invalid' })
  await expect(readLaptopInfo(rest, 'bob@company.com', now)).rejects.toMatchObject({ code: 'tool.answer-invalid' })
  await expect(readOpenRequests(rest, '9')).resolves.toMatchObject([{ number: 'REQ0000001' }])
  await expect(readOpenLaptopRequests(rest, '9', 'laptop')).resolves.toMatchObject([{ laptop: 'a' }])
  await expect(readOpenLaptopRequests(rest, '9', 'help')).rejects.toMatchObject({ code: 'tool.answer-invalid' })
})

test('a user whose id could be read as a part of a query is nobody', async () => {
  const bob = rows['sys_user']?.[0]
  if (bob === undefined) throw new Error('There is no Bob')
  for (const sys_id of ['1^ORassigned_to=9', 'javascript:gs.getUserID()', '1,2', '']) {
    rows['sys_user'] = [{ ...bob, sys_id }]
    await expect(findEmployee(rest, 'bob@company.com')).rejects.toMatchObject({ code: 'employee.unknown' })
  }
  rows['sys_user'] = [bob]
})

test('a request without a mark of ours may be the one that is looked for; so may one beyond the page', async () => {
  const since = new Date('2026-11-24T08:00:00Z')
  const marked = { 'request.correlation_id': '5f3b9f64-0f7e-4d52-9a53-0c3f9d6a1b7e' }
  for (const [found, unmarked] of [
    [[], false],
    [[marked], false],
    [[marked, {}], true],
    [[marked, { 'request.correlation_id': 'set by a rule of the instance' }], true],
    [Array(10).fill(marked), true],
  ] as const) {
    rows['sc_req_item'] = [...found]
    expect(await hasUnmarkedRequest(rest, 'bob@company.com', 'help', since)).toBe(unmarked)
  }
})

test('of two active users with one address neither is taken, of an active and an inactive one the active', async () => {
  const [alice] = employees
  if (alice === undefined) throw new Error('There are no employees')
  // The mock derives ids from addresses, and ServiceNow ignores case.
  const twin = { ...alice, name: 'Twin', email: 'Alice.Johnson@company.com' }
  for (const [active, outcome] of [
    [true, { rejects: { code: 'employee.unknown' } }],
    [false, { resolves: { name: 'Alice Johnson' } }],
  ] as const) {
    const mock = await startServiceNow({ employees: [{ ...twin, active }, alice] })
    const found = findEmployee(restOf(mock.url), alice.email)
    if ('rejects' in outcome) await expect(found).rejects.toMatchObject(outcome.rejects)
    else await expect(found).resolves.toMatchObject(outcome.resolves)
    await mock.close()
  }
})
