import * as z from 'zod/mini'
import type { CatalogueItem } from './records.ts'
import type { Ticket, Tickets } from './tickets.ts'

const orderSchema = z.object({
  sysparm_quantity: z.pipe(z.coerce.number(), z.int().check(z.minimum(1))),
  sysparm_requested_for: z.optional(z.string()),
  variables: z._default(z.record(z.string(), z.coerce.string()), {}),
  correlation_id: z.optional(z.string().check(z.maxLength(100))),
})

export type OrderAnswer = { ok: true; ticket: Ticket } | { ok: false; status: 400 | 404; message: string }

/** Variables without which the form of an item cannot be sent. */
const mandatory: Record<CatalogueItem['kind'], string[]> = {
  'laptop-refresh': ['laptop_choices'],
  licence: ['product', 'seats', 'cost_centre', 'justification'],
  help: ['summary'],
}

/**
 * Orders a catalogue item. As in ServiceNow itself, the correlation id is only written down: the same one twice opens
 * two tickets.
 */
export function orderItem(
  item: CatalogueItem | undefined,
  body: unknown,
  parts: { tickets: Tickets; isPerson: (sysId: string) => boolean; now: Date; correlates: boolean },
): OrderAnswer {
  if (item === undefined) return { ok: false, status: 404, message: 'Catalog item not found' }
  const order = orderSchema.safeParse(body)
  if (!order.success) return { ok: false, status: 400, message: 'Invalid request body' }
  const { variables, correlation_id, sysparm_quantity, sysparm_requested_for } = order.data
  const missing = mandatory[item.kind].find((name) => (variables[name] ?? '') === '')
  if (missing !== undefined) return { ok: false, status: 400, message: `Mandatory Variables are required: ${missing}` }
  const person = sysparm_requested_for ?? variables['who_is_this_request_for'] ?? ''
  if (!parts.isPerson(person)) return { ok: false, status: 400, message: 'Requested for is not a known user' }
  const ticket = parts.tickets.open({
    item: item.id,
    quantity: sysparm_quantity,
    variables,
    requested_for: person,
    correlation_id: parts.correlates ? (correlation_id ?? '') : '',
    opened_at: parts.now.toISOString().slice(0, 19).replace('T', ' '),
  })
  return { ok: true, ticket }
}
