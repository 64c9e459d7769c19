import { Liquid, type Template } from 'liquidjs'
import { Fault } from '../errors/fault.ts'
import type { Agent, TemplateText } from './agent.ts'
import type { Json } from './json.ts'
import { plainText } from './plain-text.ts'

const liquid = openLiquid()
const compiled = new WeakMap<object, Map<TemplateText, Template[]>>()

/**
 * The text of a Liquid template on these values, without white space at its ends. Values are data: a template that
 * stands in one is shown, not run. Throws Fault `flow.expression-failed`, with the place and never with the values.
 */
export function render(agent: Agent, source: TemplateText, values: Record<string, Json>): string {
  return renderIn(agent, source, values)
}

/** The same in another file that has a name. @throws Fault `flow.expression-failed` */
export function renderIn(file: { name: string }, source: TemplateText, values: Record<string, Json>): string {
  try {
    // A filter that cuts may leave half an emoji, which no store takes.
    return String(liquid.renderSync(parse(file, source), values))
      .replace(/\p{Cs}/gu, '')
      .trim()
  } catch (error) {
    const place = error instanceof Error && error.message.startsWith('undefined variable') ? `: ${error.message}` : ''
    throw new Fault('flow.expression-failed', `${file.name}: the text "${opening(source)}" cannot be written${place}`)
  }
}

export interface TemplateReading {
  fault: string | null
  /** Names that the template expects from outside, each with the first line (from 1) on which it stands. */
  names: Map<string, number>
}

/** What is wrong with a template before any value is known, and the names it uses. */
export function readTemplate(source: TemplateText): TemplateReading {
  try {
    const { globals } = liquid.analyzeSync(liquid.parse(source), { partials: false })
    const names = Object.entries(globals).map(([name, places]): [string, number] => [
      name,
      places[0]?.location.row ?? 1,
    ])
    return { fault: null, names: new Map(names) }
  } catch (error) {
    const [message = 'is not Liquid'] = error instanceof Error ? error.message.split('\n', 1) : []
    return { fault: message.replace(/, line:\d+, col:\d+$/, ''), names: new Map() }
  }
}

function parse(file: object, source: TemplateText): Template[] {
  let templates = compiled.get(file)
  if (templates === undefined) {
    templates = new Map()
    compiled.set(file, templates)
  }
  let parsed = templates.get(source)
  if (parsed === undefined) {
    parsed = liquid.parse(source)
    templates.set(source, parsed)
  }
  return parsed
}

/** Liquid without what reaches a file, the clock or chance, and without filters that read their argument as code. */
function openLiquid(): Liquid {
  const engine = new Liquid({
    strictVariables: true,
    strictFilters: true,
    lenientIf: true,
    ownPropertyOnly: true,
    timezoneOffset: 0,
    outputEscape: (value: unknown) => plainText(textOf(value)),
  })
  for (const tag of ['include', 'render', 'layout', 'block']) delete engine.tags[tag]
  const unwanted = ['sample', 'where_exp', 'reject_exp', 'group_by_exp', 'has_exp', 'find_index_exp', 'find_exp', 'raw']
  for (const filter of unwanted) delete engine.filters[filter]
  const format = engine.filters['date']
  engine.registerFilter('date', function (value: unknown, ...rest: unknown[]) {
    if (value === 'now' || value === 'today') throw new TypeError('write {{ today }}: a template has no clock')
    const handler = typeof format === 'function' ? format : format?.handler
    return handler?.call(this, value, ...rest)
  })
  return engine
}

/** An employee never reads "[object Object]". */
function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.map(textOf).join(', ')
  if (typeof value === 'object') throw new TypeError('a whole record was put into a text: name one of its fields')
  return String(value)
}

function opening(source: string): string {
  return source.trim().slice(0, 40)
}
