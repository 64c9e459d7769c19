import { Script } from 'node:vm'

const longestPattern = 200
const longestText = 2_000
/** Milliseconds a pattern may search before it counts as found nothing. */
const deadline = 25

/** Runs in its own context so that the engine's deadline can stop a search that backtracks without end. */
const search = new Script('new RegExp(pattern, "u").exec(text)?.[0] ?? null')

/**
 * The first part of a text that a pattern from a request describes; anchors are dropped, so that it is found inside
 * the text too. Null where it finds nothing, is no pattern, or takes too long.
 */
export function findPattern(pattern: string, text: string): string | null {
  const inner = pattern
    .trim()
    .replace(/^\^/, '')
    .replace(/(?<!\\)\$$/, '')
  if (inner === '' || inner.length > longestPattern) return null
  try {
    const found: unknown = search.runInNewContext(
      { pattern: `(?<![\\p{L}\\p{N}])(?:${inner})(?![\\p{L}\\p{N}])`, text: text.slice(0, longestText) },
      { timeout: deadline },
    )
    return typeof found === 'string' && found !== '' ? found : null
  } catch {
    return null
  }
}
