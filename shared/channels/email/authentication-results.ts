/** What one method found, as an Authentication-Results header says it (RFC 8601, section 2.2). */
export interface MethodResult {
  method: string
  result: string
  /** By type and name: 'header.from', 'header.d'. */
  properties: Readonly<Record<string, string>>
}

/**
 * Reads the value of an Authentication-Results header: whose word it is, and what it says. Comments and quoted strings
 * are read as such, since a sender may choose what is in them. Null where it is none that can be read without a doubt.
 */
export function readAuthenticationResults(value: string): { authservId: string; results: MethodResult[] } | null {
  const parts = splitStatements(value)
  const [head, ...statements] = parts ?? []
  const [authservId = ''] = head ?? []
  if (authservId === '' || (head?.length ?? 0) > 2) return null
  const results: MethodResult[] = []
  for (const words of statements) {
    if (words.length === 0 || (words.length === 1 && words[0]?.toLowerCase() === 'none')) continue
    const result = readResult(words)
    if (result === null) return null
    results.push(result)
  }
  return { authservId: authservId.toLowerCase(), results }
}

function readResult([first = '', ...rest]: readonly string[]): MethodResult | null {
  const [, method, result] = /^([a-z0-9-]+)(?:\/\d+)?=([a-z]+)$/i.exec(first) ?? []
  if (method === undefined || result === undefined) return null
  const properties: Record<string, string> = {}
  for (const word of rest) {
    const at = word.indexOf('=')
    const name = word.slice(0, at).toLowerCase()
    // Said twice, it is not known which counts.
    if (at < 1 || Object.hasOwn(properties, name)) return null
    properties[name] = word.slice(at + 1)
  }
  return { method: method.toLowerCase(), result: result.toLowerCase(), properties }
}

/** The words of each statement, without comments; quotes are taken off. Null where a comment or quote has no end. */
function splitStatements(value: string): string[][] | null {
  const statements: string[][] = [[]]
  let word: string | null = null
  let depth = 0
  let quoted = false
  const endWord = () => {
    if (word !== null) statements.at(-1)?.push(word)
    word = null
  }
  for (let index = 0; index < value.length; index += 1) {
    const sign = value.charAt(index)
    if (sign === '\\' && (quoted || depth > 0)) {
      index += 1
      if (quoted) word = (word ?? '') + value.charAt(index)
    } else if (quoted) {
      if (sign === '"') quoted = false
      else word = (word ?? '') + sign
    } else if (depth > 0) {
      if (sign === '(') depth += 1
      if (sign === ')') depth -= 1
    } else if (sign === '(') {
      depth = 1
    } else if (sign === '"') {
      quoted = true
      word ??= ''
    } else if (sign === ';') {
      endWord()
      statements.push([])
    } else if (/\s/.test(sign)) {
      // "dkim = pass": white space around the sign is allowed.
      const next = value.slice(index).trimStart().charAt(0)
      if (next !== '=' && !word?.endsWith('=')) endWord()
    } else {
      word = (word ?? '') + sign
    }
  }
  endWord()
  return depth > 0 || quoted ? null : statements
}
