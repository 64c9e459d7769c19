import type * as z from 'zod/mini'
import type { Path } from './source.ts'

export interface Finding {
  path: Path
  /** The line (from 1) of the text at that path; without it, the finding is about the key. */
  line?: number
  message: string
}

type Issue = z.core.$ZodIssue

/** The findings that an issue of the schema stands for, in words that name the key. */
export function describeIssue(issue: Issue, above: Path, value: unknown): Finding[] {
  const path: Path = [...above, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))]
  const key = String(path.at(-1) ?? 'the file')
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((unknown) => ({ path: [...path, unknown], message: `unknown key "${unknown}"` }))
    case 'invalid_key':
      return [{ path, message: `"${key}" is no name: use a-z and digits${innermost(issue)}` }]
    case 'invalid_type':
      if (isAbsent(value, issue.path)) return [{ path: path.slice(0, -1), message: `"${key}" is missing` }]
      return [{ path, message: `"${key}" must be ${kinds[issue.expected] ?? issue.expected}` }]
    case 'invalid_value':
      if (isAbsent(value, issue.path)) return [{ path: path.slice(0, -1), message: `"${key}" is missing` }]
      return [{ path, message: `"${key}" must be ${issue.values.map((one) => JSON.stringify(one)).join(' or ')}` }]
    case 'invalid_union':
      if (isAbsent(value, issue.path)) return [{ path: path.slice(0, -1), message: `"${key}" is missing` }]
      return [{ path, message: `"${key}" is not of a kind that is allowed here` }]
    case 'too_small':
      return [{ path, message: `"${key}" is too ${size(issue.origin, 'small', 'short')}: at least ${issue.minimum}` }]
    case 'too_big':
      return [{ path, message: `"${key}" is too ${size(issue.origin, 'large', 'long')}: at most ${issue.maximum}` }]
    case 'invalid_format':
      return [{ path, message: `"${key}" does not have the form ${'pattern' in issue ? issue.pattern : issue.format}` }]
    default:
      return [{ path, message: `"${key}" is not valid` }]
  }
}

const kinds: Record<string, string> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  object: 'a map',
  record: 'a map',
  string: 'a text',
}

function innermost(issue: Extract<Issue, { code: 'invalid_key' }>): string {
  const [inner] = issue.issues
  const underscore = inner?.code === 'invalid_format' && 'pattern' in inner && inner.pattern?.includes('_')
  return underscore ? ' and "_"' : ' and "-"'
}

function size(origin: string, ofNumber: string, ofText: string): string {
  return origin === 'string' || origin === 'array' ? ofText : ofNumber
}

function isAbsent(value: unknown, path: readonly PropertyKey[]): boolean {
  let here = value
  for (const key of path) {
    if (typeof here !== 'object' || here === null) return true
    here = Object.hasOwn(here, key) ? Reflect.get(here, key) : undefined
  }
  return here === undefined
}
