import type { Mode } from './back-off.ts'
import type { Filter, Matching } from './model.ts'

/** Context attributes of an event as text; a missing one is undefined. */
export type Attributes = Readonly<Record<string, string>>

/**
 * Whether an event passes a Trigger (knative/specs data-plane.md and the Subscriptions API's filter dialects). Data is
 * never looked at. A missing attribute fails every dialect but `not`.
 */
export function passes(matching: Matching, attributes: Attributes, mode: Mode): boolean {
  switch (matching.kind) {
    case 'everything':
      return true
    case 'attributes':
      return Object.entries(matching.attributes).every(([name, wanted]) =>
        passesAttribute(attributes, name, wanted, mode),
      )
    case 'filters':
      return matching.filters.every((filter) => passesFilter(filter, attributes))
  }
}

/** An empty value asks for the attribute's presence, which Kafka's broker doesn't do: it leaves such a pair out. */
function passesAttribute(attributes: Attributes, name: string, wanted: string, mode: Mode): boolean {
  const value = attributeOf(attributes, name)
  if (wanted !== '') return value === wanted
  return mode === 'kafka' || (value !== undefined && value !== '')
}

function passesFilter(filter: Filter, attributes: Attributes): boolean {
  switch (filter.dialect) {
    case 'all':
      return filter.filters.every((inner) => passesFilter(inner, attributes))
    case 'any':
      return filter.filters.some((inner) => passesFilter(inner, attributes))
    case 'not':
      return !passesFilter(filter.filter, attributes)
    case 'exact':
    case 'prefix':
    case 'suffix':
      return Object.entries(filter.pairs).every(([name, wanted]) => {
        const value = attributeOf(attributes, name)
        if (value === undefined) return false
        if (filter.dialect === 'exact') return value === wanted
        return filter.dialect === 'prefix' ? value.startsWith(wanted) : value.endsWith(wanted)
      })
  }
}

function attributeOf(attributes: Attributes, name: string): string | undefined {
  return Object.hasOwn(attributes, name) ? attributes[name] : undefined
}
