import * as z from 'zod/mini'
import type { Manifest } from './manifest-file.ts'
import type { Filter, Matching } from './model.ts'

const pairs = z.record(z.string(), z.string())

/** trigger_validation.go's own pattern: what CloudEvents allows, less a digit in front. */
const attributeName = /^[a-z][a-z0-9]*$/

/** What a Trigger's `filters` or, where there are none, `filter` says; every fault is noted with its line. */
export function matchingOf(
  manifest: Manifest,
  filters: unknown[] | undefined,
  attributes: Record<string, string> = {},
): Matching {
  if (filters !== undefined && filters.length > 0) {
    return {
      kind: 'filters',
      filters: filters.map((filter, index) => filterOf(manifest, ['spec', 'filters', index], filter)),
    }
  }
  checkNames(manifest, ['spec', 'filter', 'attributes'], attributes)
  return Object.keys(attributes).length === 0 ? { kind: 'everything' } : { kind: 'attributes', attributes }
}

const dialects = ['exact', 'prefix', 'suffix', 'all', 'any', 'not', 'cesql'] as const
const none: Filter = { dialect: 'any', filters: [] }

function filterOf(manifest: Manifest, path: readonly PropertyKey[], value: unknown): Filter {
  const keys = typeof value === 'object' && value !== null ? Object.entries(value) : []
  const [first, ...others] = keys
  const dialect = dialects.find((name) => name === first?.[0])
  if (first === undefined || others.length > 0 || dialect === undefined) {
    manifest.fault(path, `a filter has exactly one dialect of ${dialects.join(', ')}`)
    return none
  }
  const inner = [...path, dialect]
  switch (dialect) {
    case 'cesql':
      manifest.fault(
        inner,
        "the development broker doesn't evaluate CESQL; say it with exact, prefix, suffix, all, any, not",
      )
      return none
    case 'not':
      return { dialect, filter: filterOf(manifest, inner, first[1]) }
    case 'all':
    case 'any':
      if (!Array.isArray(first[1]) || first[1].length === 0) {
        manifest.fault(inner, 'is a list of filters')
        return none
      }
      return { dialect, filters: first[1].map((filter, index) => filterOf(manifest, [...inner, index], filter)) }
    case 'exact':
    case 'prefix':
    case 'suffix': {
      const parsed = pairs.safeParse(first[1])
      if (!parsed.success || Object.keys(parsed.data).length === 0) {
        manifest.fault(inner, 'maps attribute names to text')
        return none
      }
      checkNames(manifest, inner, parsed.data)
      for (const [name, text] of Object.entries(parsed.data)) {
        if (text === '') manifest.fault([...inner, name], 'is empty')
      }
      return { dialect, pairs: parsed.data }
    }
  }
}

function checkNames(manifest: Manifest, path: readonly PropertyKey[], named: Record<string, string>): void {
  for (const name of Object.keys(named)) {
    if (!attributeName.test(name))
      manifest.fault([...path, name], 'is no attribute name (a to z, then a to z and 0 to 9)')
  }
}
