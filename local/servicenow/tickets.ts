import { appendFileSync, readFileSync, truncateSync } from 'node:fs'
import * as z from 'zod/mini'

const ticketSchema = z.object({
  /** REQ and seven digits. */
  number: z.string(),
  sys_id: z.string(),
  /** The catalogue item's id. */
  item: z.string(),
  quantity: z.int(),
  variables: z.record(z.string(), z.string()),
  /** sys_id of the person it is for. */
  requested_for: z.string(),
  correlation_id: z.string(),
  /** UTC, as ServiceNow writes it: 2026-11-24 08:00:00. */
  opened_at: z.string(),
})

export type Ticket = z.infer<typeof ticketSchema>

export interface Tickets {
  all(): Ticket[]
  /** Adds a ticket under the next number; it is on disk (where there is a file) when this returns. */
  open(ticket: Omit<Ticket, 'number' | 'sys_id'>): Ticket
  /** Forgets the tickets in memory, for a test that starts afresh; numbers go on. */
  forget(): void
}

/** Tickets in memory and, where `file` is given, one JSON object a line in it, read again at the next start. */
export function openTickets(options: { firstNumber: number; newSysId: () => string; file?: string }): Tickets {
  const tickets = options.file === undefined ? [] : readTickets(options.file)
  const last = Math.max(options.firstNumber - 1, ...tickets.map((ticket) => Number(ticket.number.slice(3))))
  let next = last + 1
  return {
    all: () => [...tickets],
    open(given) {
      const number = `REQ${String(next).padStart(7, '0')}`
      const ticket = { number, sys_id: options.newSysId(), ...given }
      if (options.file !== undefined) appendFileSync(options.file, `${JSON.stringify(ticket)}\n`)
      next += 1
      tickets.push(ticket)
      return ticket
    },
    forget() {
      tickets.length = 0
    },
  }
}

function readTickets(file: string): Ticket[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
  // A process killed while it wrote leaves a torn last line, which never was answered.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  if (whole !== text) truncateSync(file, Buffer.byteLength(whole))
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ticketSchema.parse(JSON.parse(line)))
}
