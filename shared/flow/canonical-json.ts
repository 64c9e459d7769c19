import { createHash } from 'node:crypto'
import type { Json } from './json.ts'

/** JSON without white space and with every object's keys in code unit order: one text for one value. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`)
  return `{${members.join(',')}}`
}

/** SHA-256 (hex) of the arguments' canonical JSON: what an approval is for, whatever order the keys came in. */
export function hashArguments(value: Record<string, Json>): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex')
}
