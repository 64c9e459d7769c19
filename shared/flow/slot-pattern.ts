/** More ways than this for one stretch of text to match, and the pattern is refused. */
const mostWays = 10_000

type Size = { ways: number; variable: boolean }

/**
 * Why this pattern of a text slot may not be used, or null where it may. Patterns run on employees' words, so only those
 * are taken whose backtracking is bounded whatever the text: no `*`, `+` or `{n,}`, no back-references, no look-around,
 * and at most 10,000 ways to match from one place.
 */
export function patternFault(pattern: string): string | null {
  try {
    new RegExp(pattern, 'u')
  } catch {
    return 'is not a regular expression'
  }
  const reader = { source: pattern, at: 0 }
  try {
    const size = readAlternatives(reader)
    return size.ways > mostWays ? 'can match one text in too many ways' : null
  } catch (error) {
    if (error instanceof Unsafe) return error.message
    throw error
  }
}

/** Matches when the whole value fits. */
export function wholePattern(pattern: string): RegExp {
  return new RegExp(`^(?:${unanchored(pattern)})$`, 'u')
}

/** The different spans of the text that fit the pattern and are not part of a longer word or number. */
export function spansOf(pattern: string, text: string): string[] {
  const search = new RegExp(`(?<![\\p{L}\\p{N}])(?:${unanchored(pattern)})(?![\\p{L}\\p{N}])`, 'gu')
  return [...new Set([...text.matchAll(search)].map(([span]) => span).filter((span) => span !== ''))]
}

function unanchored(pattern: string): string {
  const body = pattern.startsWith('^') ? pattern.slice(1) : pattern
  return body.endsWith('$') && !body.endsWith('\\$') ? body.slice(0, -1) : body
}

class Unsafe extends Error {}

interface Reader {
  source: string
  at: number
}

function readAlternatives(reader: Reader): Size {
  let ways = 0
  let variable = false
  let branches = 0
  for (;;) {
    const branch = readSequence(reader)
    ways += branch.ways
    variable ||= branch.variable
    branches++
    if (reader.source[reader.at] !== '|') return { ways, variable: variable || branches > 1 }
    reader.at++
  }
}

function readSequence(reader: Reader): Size {
  let ways = 1
  let variable = false
  while (reader.at < reader.source.length && !'|)'.includes(reader.source.charAt(reader.at))) {
    const part = readQuantified(reader)
    ways = Math.min(ways * part.ways, Number.MAX_SAFE_INTEGER)
    variable ||= part.variable
  }
  return { ways, variable }
}

function readQuantified(reader: Reader): Size {
  const atom = readAtom(reader)
  const rest = reader.source.slice(reader.at)
  const [whole, least, most] = /^(?:\?|\{(\d+)(?:,(\d+))?\})\??/u.exec(rest) ?? []
  if (whole === undefined) {
    if (/^[*+]|^\{\d+,\}/u.test(rest)) throw new Unsafe('repeats without a limit: write {1,40} for + and {0,40} for *')
    return atom
  }
  reader.at += whole.length
  const low = least === undefined ? 0 : Number(least)
  const high = least === undefined ? 1 : Number(most ?? least)
  const repeated = atom.ways ** high
  const ways = (high - low + 1) * (Number.isFinite(repeated) ? repeated : Number.MAX_SAFE_INTEGER)
  return { ways: Math.min(ways, Number.MAX_SAFE_INTEGER), variable: atom.variable || high > low }
}

function readAtom(reader: Reader): Size {
  const fixed = { ways: 1, variable: false }
  const rest = reader.source.slice(reader.at)
  if (rest.startsWith('(')) {
    if (rest.startsWith('(?') && !rest.startsWith('(?:')) throw new Unsafe('may use (…) and (?:…) only')
    reader.at += rest.startsWith('(?:') ? 3 : 1
    const inner = readAlternatives(reader)
    reader.at++ // the closing parenthesis, which is there: the whole pattern has compiled
    return inner
  }
  if (rest.startsWith('[')) {
    reader.at += (/^\[(?:\\.|[^\]\\])*\]/u.exec(rest)?.[0] ?? '[').length
    return fixed
  }
  if (/^\\[1-9k]/u.test(rest)) throw new Unsafe('may not refer back to a group')
  const atom = /^(?:\\[pP]\{[^}]*\}|\\u\{[0-9a-fA-F]+\}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\c.|\\.|.)/su.exec(rest)
  reader.at += atom?.[0].length ?? 1
  return fixed
}
