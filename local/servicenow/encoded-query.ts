const operators = ['ISNOTEMPTY', 'ISEMPTY', 'STARTSWITH', 'LIKE', 'IN', '!=', '>=', '<=', '=', '>', '<'] as const
type Operator = (typeof operators)[number]

interface Term {
  field: string
  operator: Operator
  value: string
}

export interface EncodedQuery {
  /** Every group must hold; a group holds when one of its terms does. */
  groups: Term[][]
  order: { field: string; descending: boolean }[]
}

/** The field name ends where the first operator begins: names are lower case, words of operators upper case. */
const termForm = new RegExp(
  `^([a-z0-9_.]+)(${operators.map((operator) => operator.replace('!', '\\!')).join('|')})(.*)$`,
  's',
)

/**
 * Parses ServiceNow's encoded query: terms joined by `^` (and) and `^OR` (or, with the term before), and
 * `^ORDERBY`/`^ORDERBYDESC`. Returns null where a term has no such form.
 */
export function parseEncodedQuery(text: string): EncodedQuery | null {
  const query: EncodedQuery = { groups: [], order: [] }
  for (const part of text.split('^')) {
    if (part === '') continue
    const order = /^ORDERBY(DESC)?([a-z0-9_.]+)$/.exec(part)
    if (order !== null) {
      query.order.push({ field: order[2] ?? '', descending: order[1] !== undefined })
      continue
    }
    const alternative = part.startsWith('OR')
    const term = parseTerm(alternative ? part.slice(2) : part)
    if (term === null) return null
    const last = query.groups.at(-1)
    if (alternative && last !== undefined) last.push(term)
    else query.groups.push([term])
  }
  return query
}

function parseTerm(text: string): Term | null {
  const parts = termForm.exec(text)
  const operator = operators.find((known) => known === parts?.[2])
  if (parts?.[1] === undefined || operator === undefined) return null
  return { field: parts[1], operator, value: parts[3] ?? '' }
}

/** Whether a record fits; `read` gives a field's value. Text is compared without regard to case, as ServiceNow does. */
export function fits(query: EncodedQuery, read: (field: string) => string): boolean {
  return query.groups.every((group) => group.some((term) => holds(term, read(term.field))))
}

function holds(term: Term, given: string): boolean {
  const actual = given.toLowerCase()
  const wanted = term.value.toLowerCase()
  switch (term.operator) {
    case '=':
      return actual === wanted
    case '!=':
      return actual !== wanted
    case 'IN':
      return wanted.split(',').includes(actual)
    case 'LIKE':
      return actual.includes(wanted)
    case 'STARTSWITH':
      return actual.startsWith(wanted)
    case 'ISEMPTY':
      return actual === ''
    case 'ISNOTEMPTY':
      return actual !== ''
    case '>=':
      return actual >= wanted
    case '<=':
      return actual <= wanted
    case '>':
      return actual > wanted
    case '<':
      return actual < wanted
  }
}
