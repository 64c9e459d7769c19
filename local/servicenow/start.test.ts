import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { employees } from './employees.ts'
import { sysIdOfEmployee } from './records.ts'
import { type ServiceNowMock, startServiceNow } from './start.ts'

let mock: ServiceNowMock

beforeEach(async () => {
  mock = await startServiceNow({ now: () => new Date('2026-11-24T08:00:00Z') })
})
afterEach(() => mock.close())

const headers = { 'x-sn-apikey': 'any', 'content-type': 'application/json' }
const item = '/api/sn_sc/servicecatalog/items/mock_laptop_refresh_id/order_now'

const answer = z.looseObject({ result: z._default(z.array(z.record(z.string(), z.unknown())), []) })

async function get(table: string, parameters: Record<string, string>, url = mock.url) {
  const response = await fetch(`${url}/api/now/table/${table}?${new URLSearchParams(parameters)}`, { headers })
  return { status: response.status, body: answer.parse(await response.json()) }
}

async function post(path: string, body: unknown, url = mock.url) {
  const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: response.status, text: await response.text() }
}

function sysId(email: string): string {
  const employee = employees.find((candidate) => candidate.email === email)
  if (employee === undefined) throw new Error(`No employee ${email}`)
  return sysIdOfEmployee(employee)
}

const order = (correlation_id: string, laptop = 'apple_mac_book_air_m_2') => ({
  sysparm_quantity: 1,
  variables: { laptop_choices: laptop, who_is_this_request_for: sysId('john.doe@company.com') },
  correlation_id,
})

test('at least 16 people, all regions, unlike addresses and serial numbers', () => {
  expect(employees.length).toBeGreaterThanOrEqual(16)
  expect(new Set(employees.map((employee) => employee.email)).size).toBe(employees.length)
  const serials = employees.flatMap((employee) => (employee.laptop === null ? [] : [employee.laptop.serial]))
  expect(new Set(serials).size).toBe(serials.length)
  expect(employees.filter((employee) => employee.location === 'NA').length).toBeGreaterThanOrEqual(2)
})

test('without an API key nothing is told', async () => {
  const response = await fetch(`${mock.url}/api/now/table/sys_user`, { headers: { 'x-sn-apikey': '' } })
  expect(response.status).toBe(401)
  expect(await response.json()).toEqual({
    error: { message: 'User Not Authenticated', detail: 'Required to provide Auth information' },
    status: 'failure',
  })
})

test('the predecessor’s own queries are answered in its shapes', async () => {
  const user = await get('sys_user', {
    sysparm_query: 'email=alice.johnson@company.com',
    sysparm_limit: '1',
    sysparm_display_value: 'true',
    sysparm_fields: 'sys_id,name,email,user_name,location,active',
  })
  expect(user).toEqual({
    status: 200,
    body: {
      result: [
        {
          sys_id: sysId('alice.johnson@company.com'),
          name: 'Alice Johnson',
          email: 'alice.johnson@company.com',
          user_name: 'alice.johnson',
          location: { display_value: 'EMEA', link: expect.stringContaining('/api/now/table/cmn_location/') },
          active: 'true',
        },
      ],
    },
  })
  const computer = await get('cmdb_ci_computer', {
    sysparm_query: `assigned_to=${sysId('alice.johnson@company.com')}`,
    sysparm_display_value: 'true',
    sysparm_fields: 'serial_number,model_id,purchase_date,warranty_expiration,install_status,operational_status',
  })
  expect(computer.body.result).toEqual([
    {
      serial_number: 'DL7420001',
      model_id: { display_value: 'Latitude 7420', link: expect.any(String) },
      purchase_date: '2020-01-15',
      warranty_expiration: '2023-01-15',
      install_status: 'Installed',
      operational_status: 'Operational',
    },
  ])
})

test('values are given as stored, as shown, or both, with and without links', async () => {
  const field = async (more: Record<string, string>) => {
    const query = { sysparm_query: 'email=yuki.tanaka@company.com', sysparm_fields: 'location' }
    return (await get('sys_user', { ...query, ...more })).body.result[0]?.['location']
  }
  const unlinked = { sysparm_exclude_reference_link: 'true' }
  const value = expect.stringMatching(/^[0-9a-f]{32}$/)
  expect(await field({})).toEqual({ link: expect.any(String), value })
  expect(await field(unlinked)).toEqual(value)
  expect(await field({ ...unlinked, sysparm_display_value: 'true' })).toBe('APAC')
  expect(await field({ ...unlinked, sysparm_display_value: 'all' })).toEqual({ display_value: 'APAC', value })
})

test('a query that cannot be right is refused instead of matching everything', async () => {
  expect((await get('sys_user', { sysparm_query: 'mail=alice' })).status).toBe(400)
  expect((await get('sys_user', { sysparm_query: 'nonsense' })).status).toBe(400)
  expect((await get('sys_secret', {})).status).toBe(400)
})

test('an order is a request with an item, and the same correlation id twice is two of them', async () => {
  const first = await post(item, order('key-1'))
  expect([first.status, JSON.parse(first.text)]).toEqual([
    200,
    {
      result: {
        sys_id: expect.stringMatching(/^[0-9a-f]{32}$/),
        number: 'REQ0010001',
        request_number: 'REQ0010001',
        parent_id: null,
        request_id: expect.any(String),
        parent_table: 'task',
        table: 'sc_request',
      },
    },
  ])
  await post(item, order('key-1'))
  await post(item, order('key-2', 'lenovo_think_pad_p_16_gen_2'))
  const numbers = async (sysparm_query: string) =>
    (await get('sc_request', { sysparm_query })).body.result.map((row) => row['number'])
  expect(await numbers('correlation_id=key-1')).toEqual(['REQ0010001', 'REQ0010002'])
  expect(await numbers('number=REQ0010003')).toEqual(['REQ0010003'])
  expect(await numbers(`requested_for=${sysId('john.doe@company.com')}^ORDERBYDESCnumber`)).toHaveLength(3)
  expect(await numbers('requested_for.email=jane.smith@company.com')).toEqual([])
  const items = await get('sc_req_item', {
    sysparm_query: `request.requested_for=${sysId('john.doe@company.com')}^stateIN1,2^cat_item=mock_laptop_refresh_id`,
    sysparm_fields: 'number,variables.laptop_choices,state,request.number',
    sysparm_limit: '1',
  })
  expect(items.body.result).toEqual([
    {
      number: 'RITM0010001',
      'variables.laptop_choices': 'apple_mac_book_air_m_2',
      state: '1',
      'request.number': 'REQ0010001',
    },
  ])
})

test.each([
  ['an item that is not in the catalogue', item.replace('mock_laptop', 'other'), order('a'), 404],
  ['a missing variable', item, { ...order('a'), variables: {} }, 400],
  ['nobody', item, { ...order('a'), sysparm_requested_for: 'nobody' }, 400],
  ['no quantity', item, { ...order('a'), sysparm_quantity: 0 }, 400],
  ['no object', item, 'text', 400],
])('an order for %s opens nothing', async (_what, path, body, status) => {
  expect((await post(path, body)).status).toBe(status)
  expect(mock.tickets()).toEqual([])
})

test('faults come as they were ordered, as often as they were ordered, only where they were ordered', async () => {
  expect((await post('/faults', { kind: '503', count: 2, path: '/api/now/' })).status).toBe(204)
  expect((await post('/faults', { kind: 'unheard-of' })).status).toBe(400)
  const status = async () => (await fetch(`${mock.url}/api/now/table/sys_user`, { headers })).status
  expect((await post(item, order('a'))).status).toBe(200)
  expect([await status(), await status(), await status()]).toEqual([503, 503, 200])
  await post('/faults', { kind: 'reset-after-commit', path: '/api/sn_sc/' })
  await expect(post(item, order('b'))).rejects.toThrow('fetch failed')
  await post('/faults', { kind: 'reset' })
  await expect(post(item, order('c'))).rejects.toThrow('fetch failed')
  expect(mock.tickets().map((ticket) => ticket.correlation_id)).toEqual(['a', 'b'])
})

test('the page for people shows the tickets, and no ticket can write into it', async () => {
  await post(item, order('a', '<script>alert(1)</script>'))
  const response = await fetch(mock.url)
  const page = await response.text()
  expect(response.headers.get('content-type')).toContain('text/html')
  expect(page).toContain('REQ0010001')
  expect(page).toContain('John Doe')
  expect(page).not.toContain('<script>')
})

test('tickets outlive the process, a torn last line aside, and numbers go on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'servicenow-'))
  const dataFile = join(folder, 'tickets.jsonl')
  try {
    const first = await startServiceNow({ dataFile })
    await post(item, order('a'), first.url)
    await post(item, order('b'), first.url)
    await first.close()
    await writeFile(dataFile, `${await readFile(dataFile, 'utf8')}{"number":"REQ00`)
    const second = await startServiceNow({ dataFile })
    await post(item, order('c'), second.url)
    await second.close()
    const third = await startServiceNow({ dataFile })
    expect(third.tickets().map((ticket) => [ticket.number, ticket.correlation_id])).toEqual([
      ['REQ0010001', 'a'],
      ['REQ0010002', 'b'],
      ['REQ0010003', 'c'],
    ])
    await third.close()
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('the process says where it listens, takes item ids from the environment, and stops when told', async () => {
  const child = spawn(process.execPath, [new URL('main.ts', import.meta.url).pathname], {
    env: { PATH: process.env['PATH'], PORT: '0', SERVICENOW_LAPTOP_REFRESH_ID: 'our-own-id' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const [line] = await child.stdout.take(1).toArray()
  const { url } = JSON.parse(String(line))
  expect((await post(item.replace('mock_laptop_refresh_id', 'our-own-id'), order('a'), url)).status).toBe(200)
  expect((await fetch(`${url}/health`)).status).toBe(200)
  child.kill('SIGTERM')
  expect(await exited).toBe(0)
})
