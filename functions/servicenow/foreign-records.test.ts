import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { employees } from '../../local/servicenow/employees.ts'
import { startServiceNow } from '../../local/servicenow/start.ts'
import { findEmployee } from './employee.ts'
import { findRequest } from './requests.ts'
import { createRest, type Rest } from './rest.ts'

// An instance that ignores a term which it does not know, as ServiceNow does, and answers with other people's records.
const careless = createServer((request, response) => {
  const rows = request.url?.includes('sys_user')
    ? [{ sys_id: '1', name: 'Bob', email: 'bob@company.com', active: { value: 'true', display_value: 'true' } }]
    : [{ number: 'REQ0000001', sys_id: '2', correlation_id: 'of-another-write' }]
  response.end(JSON.stringify({ result: rows }))
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

test('a request under another correlation id was not filed by this write', async () => {
  expect(await findRequest(rest, 'of-this-write')).toBeNull()
  expect(await findRequest(rest, 'of-another-write')).toEqual({ number: 'REQ0000001', sysId: '2' })
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
