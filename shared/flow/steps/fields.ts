import type { ConfirmStep } from '../agent.ts'
import { isJsonObject, type Json } from '../json.ts'
import { plainText } from '../plain-text.ts'
import { argumentsOf, type Walk } from '../walk.ts'

/**
 * The fields that a confirm step asks about, as they will be filed. Every text is made plain as texts are where they are
 * shown, before the approval keeps them: what was read, what was approved and what is filed are the same signs.
 */
export function fieldsOf(walk: Walk, step: ConfirmStep): Record<string, Json> {
  return plainMembers(argumentsOf(walk, step.arguments))
}

function plainMembers(members: Record<string, Json>): Record<string, Json> {
  return Object.fromEntries(Object.entries(members).map(([name, member]) => [name, plain(member)]))
}

function plain(value: Json): Json {
  if (typeof value === 'string') return plainText(value)
  if (Array.isArray(value)) return value.map(plain)
  return isJsonObject(value) ? plainMembers(value) : value
}
