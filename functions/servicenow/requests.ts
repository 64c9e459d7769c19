import * as z from 'zod/mini'
import { Fault } from '../../shared/errors/fault.ts'
import { readRecords, requireAll } from './records.ts'
import type { Rest, RestAnswer } from './rest.ts'
import { highestLimit } from './settings.ts'

const unmarkedPage = 10

export interface Request {
  number: string
  sysId: string
}

export type OpenRequest = {
  number: string
  item: string
  state: string
  opened_at: string
  summary: string
}

export interface Order {
  /** The catalogue item's id. */
  item: string
  /** sys_id of the person it is for. */
  person: string
  variables: Record<string, string>
  /** The approval's id. */
  correlationId: string
}

/**
 * Open requests of a person, newest first, at most 20; `opened_at` is ISO 8601 in UTC.
 * @throws Fault `tool.answer-invalid`, and those of `readRecords`
 */
export async function readOpenRequests(rest: Rest, person: string): Promise<OpenRequest[]> {
  const fields = [
    'request.number',
    'request.requested_for',
    'cat_item',
    'state',
    'opened_at',
    'short_description',
  ] as const
  const query = `request.requested_for=${person}^active=true^ORDERBYDESCopened_at`
  const items = await readRecords(rest, 'sc_req_item', fields, query, 20)
  requireAll(items, 'sc_req_item', 'request.requested_for', person)
  return items.map((item) => ({
    number: item['request.number'].value,
    item: item.cat_item.display,
    state: item.state.display,
    opened_at: readInstant(item.opened_at.value),
    summary: item.short_description.display,
  }))
}

/**
 * Open requests (state open or work in progress) of a person for the laptop item, with the laptop that each asks for, at
 * most as many as the highest limit that can be set.
 * @throws Fault `tool.answer-invalid`, and those of `readRecords`
 */
export async function readOpenLaptopRequests(
  rest: Rest,
  person: string,
  item: string,
): Promise<(Request & { laptop: string })[]> {
  const fields = ['request', 'request.number', 'request.requested_for', 'cat_item', 'variables.laptop_choices'] as const
  const query = `request.requested_for=${person}^stateIN1,2^cat_item=${item}`
  const items = await readRecords(rest, 'sc_req_item', fields, query, highestLimit)
  requireAll(items, 'sc_req_item', 'request.requested_for', person)
  requireAll(items, 'sc_req_item', 'cat_item', item)
  return items.map((found) => ({
    number: found['request.number'].value,
    sysId: found.request.value,
    laptop: found['variables.laptop_choices'].value,
  }))
}

/**
 * The request that was filed under this correlation id. `undecided`: ServiceNow answered with other requests, so that it
 * did not look this one up. It may ignore a term that it does not like.
 */
export async function findRequest(
  rest: Rest,
  correlationId: string,
): Promise<{ kind: 'found'; request: Request } | { kind: 'absent' } | { kind: 'undecided' }> {
  const fields = ['number', 'sys_id', 'correlation_id'] as const
  const found = await readRecords(rest, 'sc_request', fields, `correlation_id=${correlationId}^ORDERBYopened_at`, 10)
  const request = found.find((candidate) => candidate.correlation_id.value === correlationId)
  if (request === undefined) return { kind: found.length === 0 ? 'absent' : 'undecided' }
  return { kind: 'found', request: { number: request.number.value, sysId: request.sys_id.value } }
}

/** An approval's id, as every order of ours carries it. */
const markForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Whether this person may have a request for the item, opened at `since` or later, whose correlation id is none of ours:
 * on an instance that doesn't record the id it may be the one that is looked for, so "not found" would prove nothing.
 */
export async function hasUnmarkedRequest(rest: Rest, email: string, item: string, since: Date): Promise<boolean> {
  const fields = ['number', 'request.correlation_id'] as const
  const from = since.toISOString().slice(0, 19).replace('T', ' ')
  const query = `request.requested_for.email=${email}^cat_item=${item}^opened_at>=${from}`
  const found = await readRecords(rest, 'sc_req_item', fields, query, unmarkedPage)
  const isMarked = found.every((item) => markForm.test(item['request.correlation_id'].value))
  // What lies beyond the page was not seen.
  return !isMarked || found.length >= unmarkedPage
}

const orderedSchema = z.object({
  result: z.object({
    request_number: z.string().check(z.regex(/^[\w-]{1,64}$/)),
    sys_id: z.string().check(z.regex(/^[\w-]{1,64}$/)),
  }),
})

/**
 * Orders a catalogue item. ServiceNow writes the correlation id down where the instance is set up for it and never
 * refuses a second order with the same one: only the owner of the write may call this.
 */
export async function orderItem(rest: Rest, order: Order): Promise<RestAnswer<Request>> {
  const answer = await rest.post(`/api/sn_sc/servicecatalog/items/${encodeURIComponent(order.item)}/order_now`, {
    sysparm_quantity: 1,
    sysparm_requested_for: order.person,
    variables: { ...order.variables, who_is_this_request_for: order.person },
    correlation_id: order.correlationId,
  })
  if (answer.kind !== 'answered') return answer
  const ordered = orderedSchema.safeParse(answer.value)
  if (!ordered.success) return { kind: 'lost', reason: 'no-answer', detail: 'The answer names no request' }
  return { kind: 'answered', value: { number: ordered.data.result.request_number, sysId: ordered.data.result.sys_id } }
}

function readInstant(text: string): string {
  const instant = new Date(`${text.replace(' ', 'T')}Z`)
  if (Number.isNaN(instant.getTime())) throw new Fault('tool.answer-invalid', 'opened_at is no date and time')
  return instant.toISOString()
}
