import { createHash } from 'node:crypto'
import type { Employee, Purchase } from './employees.ts'
import type { Ticket } from './tickets.ts'

/** A field: its stored value, what a person reads, and the table that a reference points into. */
export interface Cell {
  value: string
  display: string
  references?: string
}
export type Row = Record<string, Cell>
export type Tables = Record<string, Row[]>

export interface CatalogueItem {
  id: string
  kind: 'laptop-refresh' | 'licence' | 'help'
  title: string
}

const states: Record<string, string> = { '1': 'Open', '2': 'Work in Progress', '3': 'Closed Complete' }

/** ServiceNow's 32 hexadecimal digits, always the same for the same name. */
export function sysIdOf(...names: string[]): string {
  return createHash('sha256').update(JSON.stringify(names)).digest('hex').slice(0, 32)
}

export function sysIdOfEmployee(employee: Employee): string {
  return sysIdOf('sys_user', employee.email)
}

/** The tables as they stand at `now`: laptops with a relative purchase move along with the clock. */
export function tablesAt(now: Date, employees: Employee[], catalogue: CatalogueItem[], tickets: Ticket[]): Tables {
  const people = new Map(employees.map((employee) => [sysIdOfEmployee(employee), employee.name]))
  const person = (sysId: string): Cell => reference('sys_user', sysId, people.get(sysId) ?? sysId)
  const title = (item: string) => catalogue.find((known) => known.id === item)?.title ?? item
  return {
    sys_user: employees.map((employee) => userRow(employee, employees)),
    cmdb_ci_computer: employees.flatMap((employee) => computerRows(employee, now)),
    sc_request: tickets.map((ticket) => ({
      sys_id: plain(ticket.sys_id),
      number: plain(ticket.number),
      requested_for: person(ticket.requested_for),
      request_state: { value: 'requested', display: 'Pending Approval' },
      active: plain('true'),
      opened_at: plain(ticket.opened_at),
      short_description: plain(title(ticket.item)),
      correlation_id: plain(ticket.correlation_id),
    })),
    sc_req_item: tickets.map((ticket) => ({
      sys_id: plain(sysIdOf('sc_req_item', ticket.sys_id)),
      number: plain(ticket.number.replace('REQ', 'RITM')),
      request: reference('sc_request', ticket.sys_id, ticket.number),
      cat_item: reference('sc_cat_item', ticket.item, title(ticket.item)),
      state: { value: '1', display: states['1'] ?? '1' },
      active: plain('true'),
      quantity: plain(String(ticket.quantity)),
      opened_at: plain(ticket.opened_at),
      short_description: plain(title(ticket.item)),
      ...Object.fromEntries(
        Object.entries(ticket.variables).map(([name, value]) => [`variables.${name}`, plain(value)]),
      ),
    })),
  }
}

function userRow(employee: Employee, all: Employee[]): Row {
  const manager = all.find(({ email }) => email === employee.manager)
  return {
    sys_id: plain(sysIdOfEmployee(employee)),
    employee_number: plain(employee.number),
    name: plain(employee.name),
    email: plain(employee.email),
    user_name: plain(employee.email.replace('@company.com', '')),
    location: reference('cmn_location', sysIdOf('cmn_location', employee.location), employee.location),
    active: plain(String(employee.active)),
    manager: manager ? reference('sys_user', sysIdOfEmployee(manager), manager.name) : plain(''),
  }
}

function computerRows(employee: Employee, now: Date): Row[] {
  if (employee.laptop === null) return []
  const { model, serial, purchase } = employee.laptop
  const bought = purchaseDay(purchase, now)
  return [
    {
      sys_id: plain(sysIdOf('cmdb_ci_computer', serial)),
      name: plain(`${employee.name}'s ${model}`),
      asset_tag: plain(`P${employee.number}`),
      serial_number: plain(serial),
      model_id: reference('cmdb_model', sysIdOf('cmdb_model', model), model),
      assigned_to: reference('sys_user', sysIdOfEmployee(employee), employee.name),
      purchase_date: plain(bought),
      warranty_expiration: plain(`${Number(bought.slice(0, 4)) + 3}${bought.slice(4)}`.replace('-02-29', '-02-28')),
      install_status: { value: '1', display: 'Installed' },
      operational_status: { value: '1', display: 'Operational' },
    },
  ]
}

function purchaseDay(purchase: Purchase, now: Date): string {
  if ('on' in purchase) return purchase.on
  // The first of the month, so that every month back exists and the age in whole months is the one that was asked for.
  const day = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - purchase.monthsAgo, 1))
  return day.toISOString().slice(0, 10)
}

function plain(value: string): Cell {
  return { value, display: value }
}

function reference(table: string, value: string, display: string): Cell {
  return { value, display, references: table }
}
