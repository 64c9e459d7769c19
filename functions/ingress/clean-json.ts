import { Fault } from '../../shared/errors/fault.ts'

/** Deeper than any honest body, far below what Postgres can parse. */
const deepest = 16

/**
 * A JSON value as Postgres can store it: NUL characters are removed and lone surrogates become U+FFFD, in names too.
 * Everything else stays as it was written.
 * @throws Fault `request.malformed` where it is nested more than 16 deep.
 */
export function cleanJson(value: unknown, depth = 0): unknown {
  if (depth > deepest) throw new Fault('request.malformed', `the body is nested more than ${deepest} deep`)
  if (typeof value === 'string') return cleanText(value)
  if (Array.isArray(value)) return value.map((item) => cleanJson(item, depth + 1))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [cleanText(name), cleanJson(item, depth + 1)]))
}

function cleanText(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}

/** True for a text in which a reader would see nothing: white space, controls, zero-width and other invisible signs. */
export function isBlank(text: string): boolean {
  return text.replace(/[\p{Z}\p{Cc}\p{Cf}\p{Variation_Selector}\u115f\u1160\u2800\u3164\uffa0]/gu, '') === ''
}
