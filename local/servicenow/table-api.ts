import { fits, parseEncodedQuery } from './encoded-query.ts'
import type { Cell, Row, Tables } from './records.ts'

type Rendered = string | Record<string, string>
export type TableAnswer = { ok: true; result: Record<string, Rendered>[] } | { ok: false; message: string }

/** A field of a record; `request.number` walks along the reference in `request`. Null where there is no such field. */
function cellAt(tables: Tables, row: Row, field: string): Cell | null {
  const own = row[field]
  if (own !== undefined) return own
  // A catalogue variable that an item does not have reads as empty, as it does in ServiceNow.
  if (field.startsWith('variables.')) return { value: '', display: '' }
  const [head, ...rest] = field.split('.')
  const link = row[head ?? '']
  if (link?.references === undefined || rest.length === 0) return null
  const target = tables[link.references]?.find((candidate) => candidate['sys_id']?.value === link.value)
  return target === undefined ? null : cellAt(tables, target, rest.join('.'))
}

/**
 * Answers GET /api/now/table/{table}: sysparm_query, sysparm_limit, sysparm_fields, sysparm_display_value
 * (false, true, all) and sysparm_exclude_reference_link. ServiceNow quietly ignores a term with a field that it does
 * not know; this refuses it, so that a misspelt query cannot pass a test.
 */
export function readTable(tables: Tables, table: string, parameters: URLSearchParams, origin: string): TableAnswer {
  const rows = tables[table]
  if (rows === undefined) return { ok: false, message: `Invalid table ${table}` }
  const query = parseEncodedQuery(parameters.get('sysparm_query') ?? '')
  if (query === null) return { ok: false, message: 'Invalid query detected' }
  const sample = rows[0]
  const asked = [...query.groups.flat().map((term) => term.field), ...query.order.map((by) => by.field)]
  const unknown = sample === undefined ? undefined : asked.find((field) => cellAt(tables, sample, field) === null)
  if (unknown !== undefined) return { ok: false, message: `Invalid query detected: no field ${unknown} in ${table}` }

  const value = (row: Row, field: string): string => cellAt(tables, row, field)?.value ?? ''
  const found = rows.filter((row) => fits(query, (field) => value(row, field)))
  for (const { field, descending } of [...query.order].reverse()) {
    const sign = descending ? -1 : 1
    found.sort((one, other) => sign * (value(one, field) < value(other, field) ? -1 : 1))
  }
  const limit = Number(parameters.get('sysparm_limit') ?? '10000')
  const fields = parameters
    .get('sysparm_fields')
    ?.split(',')
    .filter((field) => field !== '')
  const render = renderer(parameters, origin)
  const result = found.slice(0, Number.isInteger(limit) && limit > 0 ? limit : 10000).map((row) => {
    const names = fields ?? Object.keys(row)
    return Object.fromEntries(
      names.flatMap((name) => {
        const cell = cellAt(tables, row, name)
        return cell === null ? [] : [[name, render(cell)] as const]
      }),
    )
  })
  return { ok: true, result }
}

function renderer(parameters: URLSearchParams, origin: string): (cell: Cell) => Rendered {
  const mode = parameters.get('sysparm_display_value') ?? 'false'
  const linked = parameters.get('sysparm_exclude_reference_link') !== 'true'
  return (cell) => {
    const link = linked && cell.references !== undefined && cell.value !== ''
    const address = link ? { link: `${origin}/api/now/table/${cell.references}/${cell.value}` } : {}
    if (mode === 'all') return { display_value: cell.display, value: cell.value, ...address }
    if (mode === 'true') return link ? { display_value: cell.display, ...address } : cell.display
    return link ? { ...address, value: cell.value } : cell.value
  }
}
