import * as z from 'zod/mini'
import { Fault } from '../../shared/errors/fault.ts'
import type { Rest, RestAnswer } from './rest.ts'

/** A field of a record, stored and as a person reads it (`sysparm_display_value=all`). */
export interface Cell {
  value: string
  display: string
}

const cellSchema = z.pipe(
  z.nullish(z.union([z.string(), z.object({ value: z.nullish(z.string()), display_value: z.nullish(z.string()) })])),
  z.transform((given): Cell => {
    if (typeof given === 'string') return { value: given, display: given }
    const value = given?.value ?? given?.display_value ?? ''
    return { value, display: given?.display_value ?? value }
  }),
)

/**
 * Reads records of a table by an encoded query. Values that come from outside must not hold `^`, which ends a term.
 * @throws Fault `tool.unavailable`, `tool.timeout`, `tool.refused`, `tool.answer-too-large`, `tool.answer-invalid`
 */
export async function readRecords<F extends string>(
  rest: Rest,
  table: string,
  fields: readonly F[],
  query: string,
  limit: number,
): Promise<Record<F, Cell>[]> {
  const answer = await rest.get(`/api/now/table/${table}`, {
    sysparm_query: query,
    sysparm_fields: fields.join(','),
    sysparm_display_value: 'all',
    sysparm_exclude_reference_link: 'true',
    sysparm_no_count: 'true',
    sysparm_limit: String(limit),
  })
  const body = readBody(answer, `GET ${table}`)
  const schema = z.object({ result: z.array(z.partialRecord(z.enum(fields), cellSchema)) })
  const parsed = schema.safeParse(body)
  if (!parsed.success) throw new Fault('tool.answer-invalid', `GET ${table}: ${z.prettifyError(parsed.error)}`)
  const empty: Cell = { value: '', display: '' }
  return parsed.data.result.map((given) => {
    const row = fields.map((field) => [field, given[field] ?? empty] as const)
    return Object.fromEntries(row) as Record<F, Cell> // Every field of F was just set.
  })
}

/**
 * Checks that every record holds what was asked for. ServiceNow quietly ignores a term of a query that it does not know,
 * and answers with everybody's records: then none of them is used.
 * @throws Fault `tool.answer-invalid`
 */
export function requireAll<F extends string>(records: Record<F, Cell>[], table: string, field: F, value: string): void {
  if (records.every((record) => record[field].value === value)) return
  throw new Fault('tool.answer-invalid', `GET ${table}: records with another ${field} than was asked for`)
}

/**
 * The value of a read, which may be repeated whatever became of it.
 * @throws Fault as {@link readRecords}
 */
function readBody(answer: RestAnswer<unknown>, what: string): unknown {
  switch (answer.kind) {
    case 'answered':
      return answer.value
    case 'refused':
      throw new Fault('tool.refused', `${what}: ${answer.detail}`)
    case 'not-sent':
      throw new Fault('tool.unavailable', `${what}: ${answer.detail}`)
    case 'busy': {
      const wait = answer.retryAfter === undefined ? {} : { retryAfter: answer.retryAfter }
      throw new Fault('tool.unavailable', `${what}: ${answer.detail}`, wait)
    }
    case 'lost': {
      const code = answer.reason === 'timeout' ? 'tool.timeout' : 'tool.unavailable'
      throw new Fault(answer.reason === 'too-large' ? 'tool.answer-too-large' : code, `${what}: ${answer.detail}`)
    }
  }
}
