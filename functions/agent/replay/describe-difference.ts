import { isDeepStrictEqual } from 'node:util'

/** More differences of one thing than this tell a reader nothing new. */
const mostLines = 8

/** Where two JSON values differ, a line each with its path; empty where they say the same, in whatever order of keys. */
export function describeDifference(recorded: unknown, replayed: unknown): string[] {
  const lines: string[] = []
  compare('', asJson(recorded), asJson(replayed), lines)
  return lines.length <= mostLines ? lines : [...lines.slice(0, mostLines), `… ${lines.length - mostLines} more`]
}

function compare(path: string, recorded: unknown, replayed: unknown, lines: string[]): void {
  if (isDeepStrictEqual(recorded, replayed)) return
  if (isObject(recorded) && isObject(replayed) && Array.isArray(recorded) === Array.isArray(replayed)) {
    for (const key of new Set([...Object.keys(recorded), ...Object.keys(replayed)])) {
      const name = Array.isArray(recorded) ? `[${key}]` : path === '' ? key : `.${key}`
      compare(path + name, memberOf(recorded, key), memberOf(replayed, key), lines)
    }
    return
  }
  const from = typeof recorded === 'string' && typeof replayed === 'string' ? departure(recorded, replayed) : 0
  lines.push(`${path === '' ? '' : `${path}: `}recorded ${show(recorded, from)}, replayed ${show(replayed, from)}`)
}

/** Where to begin to show two texts: a little before the first character in which they differ. */
function departure(one: string, other: string): number {
  let at = 0
  while (at < one.length && one[at] === other[at]) at += 1
  return Math.max(0, at - 20)
}

function show(value: unknown, from: number): string {
  if (value === undefined) return 'nothing'
  const text = typeof value === 'string' ? value.slice(from) : JSON.stringify(value)
  const cut = text.length > 100 ? `${text.slice(0, 100)}…` : text
  return typeof value === 'string' ? JSON.stringify(from > 0 ? `…${cut}` : cut) : cut
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function memberOf(value: object, key: string): unknown {
  return Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
}

/** As the journal would have it: no dates, no undefined members. */
function asJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
