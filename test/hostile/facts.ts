import type { Employee } from '../../local/servicenow/employees.ts'
import { mockCatalogue } from '../../local/servicenow/start.ts'
import type { Ticket } from '../../local/servicenow/tickets.ts'
import { apology, catalogue } from '../../shared/errors/catalogue.ts'
import type { Person } from './people.ts'
import { bare } from './plain.ts'
import type { Records, Row } from './records.ts'

/** All that an answer may state as a fact at one moment of one conversation. */
export interface Facts {
  records: Records
  person: Person
  /** Rows that a name in a text may stand for. A line takes all of a name's fields from one row. */
  rows: Record<string, Row[]>
  /** Values that a name may have. */
  values: Record<string, string[]>
  /** The employee's words so far. */
  said: string[]
  /** Sentences that are no text of an agent's file. */
  fixed: string[]
}

const regionByOffice: Record<string, string> = {
  'London Office': 'EMEA',
  'Tokyo Office': 'APAC',
  'San Francisco Office': 'NA',
}
const day = 24 * 3_600_000

/** `manager` is whom ServiceNow names as theirs; `times` are moments at which the answer, or what it repeats, may have been looked up. */
export function gatherFacts(
  records: Records,
  person: Person,
  state: { manager: Employee | null; tickets: Ticket[]; said: string[]; times: Date[] },
): Facts {
  const { manager } = state
  const laptopFacts = state.times.map((time) => factsOfLaptop(records, person, time))
  const region = regionOf(records, person)
  const places = region === null ? records.regions.map((row) => row['Region'] ?? '') : [region]
  const offers = records.offers.filter((row) => places.includes(row['Region'] ?? ''))
  const tickets = state.tickets.map(rowOfTicket)
  const numbers = tickets.map((ticket) => ticket['number'] ?? '')
  const employee = person.employee
  return {
    records,
    person,
    rows: {
      ...{ option: offers, laptop: offers, shown: offers },
      ...{ p: records.licences, product: records.licences },
      r: records.regions,
      agent: records.agents,
      ...{ request: tickets, earlier: tickets },
      citation: records.citations,
      boss: manager === null ? [] : [{ 'manager.name': manager.name, 'manager.email': manager.email }],
      ...(employee === null ? {} : { employee: laptopFacts }),
    },
    values: {
      'person.email': [person.email],
      'employee.name': employee === null ? [] : [employee.name],
      'employee.location': employee === null ? [] : [employee.location],
      ...{ 'ticket.number': numbers, 'help.number': numbers },
      'policy.refresh_months': [String(records.refreshMonths)],
      'limit.yearly_limit_eur': [String(records.yearlyLimit)],
      place: places,
      months_left: laptopFacts.map((facts) => facts['months_left'] ?? ''),
      $list: [records.regions.map((row) => row['Region']).join(', ')],
      approver: manager === null ? [] : [manager.email],
      approver_name: manager === null ? [] : [manager.name],
      'failure.message': [
        'The system I asked is not available right now.',
        ...Object.values(catalogue).flatMap(({ says, title }) => [says ?? title]),
      ],
    },
    said: state.said,
    fixed: [
      ...['Session cleared. Starting fresh!', 'Session ended.', apology],
      'That question has expired, so nothing was filed.',
      ...Object.values(catalogue).flatMap(({ says }) => says ?? []),
    ],
  }
}

/** The region whose laptops this person is offered; null where the record does not tell. */
export function regionOf(records: Records, { employee }: Person): string | null {
  const location = employee?.location ?? ''
  const known = records.regions.map((row) => row['Region'])
  return known.includes(location) ? location : (regionByOffice[location] ?? null)
}

export function monthsOld(person: Person, now: Date): number | null {
  const purchase = person.employee?.laptop?.purchase
  if (purchase === undefined || !('on' in purchase)) return null
  const [year = 0, month = 0, date = 0] = purchase.on.split('-').map(Number)
  const months = (now.getUTCFullYear() - year) * 12 + now.getUTCMonth() + 1 - month
  return Math.max(0, now.getUTCDate() < date ? months - 1 : months)
}

function factsOfLaptop(records: Records, person: Person, now: Date): Row {
  const { employee } = person
  const laptop = employee?.laptop ?? null
  if (employee === null || laptop === null || !('on' in laptop.purchase)) return {}
  const months = monthsOld(person, now) ?? 0
  const bought = laptop.purchase.on
  const ends = `${Number(bought.slice(0, 4)) + 3}${bought.slice(4)}`
  const [years, rest] = [Math.floor(months / 12), months % 12]
  const age = [
    ...(years === 0 ? [] : [years === 1 ? '1 year' : `${years} years`]),
    ...(rest === 0 ? [] : [rest === 1 ? '1 month' : `${rest} months`]),
  ]
  return {
    'laptop.model': laptop.model,
    'laptop.serial_number': laptop.serial,
    'laptop.purchase_date': bought,
    'laptop.age_months': String(months),
    'laptop.age_text': age.length === 0 ? '0 months' : age.join(' and '),
    'laptop.warranty_expiry': ends,
    'laptop.warranty_status': new Date(ends).getTime() + day > now.getTime() ? 'Active' : 'Expired',
    months_left: String(records.refreshMonths - months),
  }
}

function rowOfTicket(ticket: Ticket): Row {
  return {
    number: ticket.number,
    item: mockCatalogue.find(({ id }) => id === ticket.item)?.title ?? ticket.item,
    state: 'Open',
    opened_at: ticket.opened_at.slice(0, 10),
  }
}

const numberWords =
  'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'.split(
    ' ',
  )

/** Whether this number stands in what the employee said, in digits or as a word. */
export function saidNumber(facts: Facts, number: number): boolean {
  const text = facts.said.join(' \n ').toLowerCase()
  const word = numberWords[number - 1]
  return (
    new RegExp(`(?<![\\d.,-])${number}(?![\\d]|[.,]\\d)`).test(text.replace(/(?<=\d)[,.](?=\d{3})/g, '')) ||
    (word !== undefined && new RegExp(`\\b${word}\\b`).test(text))
  )
}

/** Whether these are words of one of the employee's messages, or of several that the help desk gets together. */
export function saidWords(facts: Facts, words: string): boolean {
  return isSaid(facts, words) || words.split(' / ').every((part) => isSaid(facts, part))
}

function isSaid(facts: Facts, words: string): boolean {
  const wanted = bare(words).toLowerCase().normalize('NFC')
  return wanted !== '' && facts.said.some((text) => bare(text).toLowerCase().normalize('NFC').includes(wanted))
}
