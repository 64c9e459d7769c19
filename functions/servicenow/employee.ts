import { Fault } from '../../shared/errors/fault.ts'
import { parseEmail } from '../../shared/identity/email.ts'
import { ageText, monthsSince, readDay } from './age.ts'
import { type Cell, readRecords, requireAll } from './records.ts'
import { type Region, regionOf } from './region.ts'
import type { Rest } from './rest.ts'

export interface Employee {
  sysId: string
  number: string | null
  name: string
  email: string
  location: string
}

export type LaptopInfo = {
  employee_id: string | null
  name: string
  email: string
  location: string
  region: Region | null
  laptop: Laptop | null
}

type Laptop = {
  model: string
  serial_number: string
  purchase_date: string | null
  age_months: number | null
  age_text: string | null
  warranty_expiry: string | null
  warranty_status: 'Active' | 'Expired' | null
}

const userFields = ['sys_id', 'employee_number', 'name', 'email', 'location', 'active'] as const
const computerFields = [
  'assigned_to',
  'serial_number',
  'model_id',
  'name',
  'purchase_date',
  'warranty_expiration',
] as const

/** Ids go into the queries that follow, where other characters would be more than a value. */
const idForm = /^[\w-]{1,64}$/

/**
 * Finds the active user with this e-mail address (lower case).
 * @throws Fault `employee.unknown` (none, or several), `employee.inactive`, and those of `readRecords`
 */
export async function findEmployee(rest: Rest, email: string): Promise<Employee> {
  const users = await readRecords(rest, 'sys_user', userFields, `email=${email}`, 10)
  // A query that ServiceNow reads in its own way must not end at another person.
  const same = users.filter((user) => user.email.value.toLowerCase() === email && idForm.test(user.sys_id.value))
  const active = same.filter((user) => user.active.value === 'true')
  const [found] = active
  if (found === undefined && same.length > 0) throw new Fault('employee.inactive', 'The user is not active')
  if (found === undefined || active.length > 1) throw new Fault('employee.unknown', `${active.length} active users fit`)
  return {
    sysId: found.sys_id.value,
    number: found.employee_number.value || null,
    name: found.name.display,
    email,
    location: found.location.display,
  }
}

export type Manager = { name: string; email: string }

/**
 * Whom ServiceNow names as the employee's manager; null where it names nobody who is active and has an address.
 * @throws Fault as {@link findEmployee}
 */
export async function readManager(rest: Rest, email: string): Promise<Manager | null> {
  const employee = await findEmployee(rest, email)
  const fields = ['sys_id', 'manager.name', 'manager.email', 'manager.active'] as const
  const rows = await readRecords(rest, 'sys_user', fields, `sys_id=${employee.sysId}`, 1)
  requireAll(rows, 'sys_user', 'sys_id', employee.sysId)
  const [row] = rows
  const address = parseEmail(row?.['manager.email'].value ?? '')
  if (row === undefined || address === null || row['manager.active'].value !== 'true') return null
  return { name: row['manager.name'].display || address, email: address }
}

/**
 * What ServiceNow knows of an employee's laptop; of several, the one that was bought last.
 * @throws Fault as {@link findEmployee}
 */
export async function readLaptopInfo(rest: Rest, email: string, now: Date): Promise<LaptopInfo> {
  const employee = await findEmployee(rest, email)
  const query = `assigned_to=${employee.sysId}^ORDERBYDESCpurchase_date`
  const computers = await readRecords(rest, 'cmdb_ci_computer', computerFields, query, 1)
  requireAll(computers, 'cmdb_ci_computer', 'assigned_to', employee.sysId)
  const [computer] = computers
  return {
    employee_id: employee.number,
    name: employee.name,
    email,
    location: employee.location,
    region: regionOf(employee.location),
    laptop: computer === undefined ? null : describeLaptop(computer, now),
  }
}

function describeLaptop(computer: Record<(typeof computerFields)[number], Cell>, now: Date): Laptop {
  const bought = readDay(computer.purchase_date.value)
  const warrantyEnds = readDay(computer.warranty_expiration.value)
  const months = bought === null ? null : monthsSince(bought, now)
  return {
    model: computer.model_id.display || computer.name.display,
    serial_number: computer.serial_number.value,
    purchase_date: bought,
    age_months: months,
    age_text: months === null ? null : ageText(months),
    warranty_expiry: warrantyEnds,
    warranty_status:
      warrantyEnds === null ? null : warrantyEnds >= now.toISOString().slice(0, 10) ? 'Active' : 'Expired',
  }
}
