import { isJsonObject, type Json, type JsonObject } from '../flow/json.ts'

/**
 * Checks a value against the part of JSON Schema that tool servers describe results with: type, enum, const, properties,
 * required, additionalProperties, items, anyOf, oneOf, allOf, minimum, maximum, lengths. Keywords it does not know
 * count as fulfilled. Returns where the value departs from the schema (a JSON Pointer and a reason), or null.
 */
export function departure(value: Json, schema: Json, at = ''): string | null {
  if (schema === true) return null
  if (schema === false) return `${at || '/'}: nothing is allowed here`
  if (!isJsonObject(schema)) return `${at || '/'}: the schema is not a schema`
  return (
    typeDeparture(value, schema, at) ??
    choiceDeparture(value, schema, at) ??
    combinedDeparture(value, schema, at) ??
    rangeDeparture(value, schema, at) ??
    (isJsonObject(value) ? objectDeparture(value, schema, at) : null) ??
    (Array.isArray(value) ? itemDeparture(value, schema, at) : null)
  )
}

function typeDeparture(value: Json, schema: JsonObject, at: string): string | null {
  const type = schema['type']
  if (type === undefined) return null
  const types = Array.isArray(type) ? type : [type]
  return types.some((name) => isOfType(value, name)) ? null : `${at || '/'}: not ${types.join(' or ')}`
}

function isOfType(value: Json, name: Json): boolean {
  switch (name) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isJsonObject(value)
    case 'integer':
      return Number.isInteger(value)
    default:
      return typeof value === name
  }
}

function choiceDeparture(value: Json, schema: JsonObject, at: string): string | null {
  const allowed = Array.isArray(schema['enum']) ? schema['enum'] : 'const' in schema ? [schema['const'] ?? null] : null
  if (allowed === null) return null
  const text = JSON.stringify(value)
  return allowed.some((choice) => JSON.stringify(choice) === text) ? null : `${at || '/'}: not one of the choices`
}

function combinedDeparture(value: Json, schema: JsonObject, at: string): string | null {
  const { anyOf, oneOf, allOf } = schema
  if (Array.isArray(anyOf) && !anyOf.some((part) => departure(value, part, at) === null)) {
    return `${at || '/'}: fits no alternative`
  }
  if (Array.isArray(oneOf) && oneOf.filter((part) => departure(value, part, at) === null).length !== 1) {
    return `${at || '/'}: does not fit exactly one alternative`
  }
  if (!Array.isArray(allOf)) return null
  return firstOf(allOf, (part) => departure(value, part, at))
}

function rangeDeparture(value: Json, schema: JsonObject, at: string): string | null {
  const size = typeof value === 'string' ? [...value].length : Array.isArray(value) ? value.length : null
  const suffix = typeof value === 'string' ? 'Length' : 'Items'
  const measure = typeof value === 'number' ? value : size
  if (measure === null) return null
  const least = schema[typeof value === 'number' ? 'minimum' : `min${suffix}`]
  const most = schema[typeof value === 'number' ? 'maximum' : `max${suffix}`]
  if (typeof least === 'number' && measure < least) return `${at || '/'}: less than ${least}`
  if (typeof most === 'number' && measure > most) return `${at || '/'}: more than ${most}`
  return null
}

function objectDeparture(value: JsonObject, schema: JsonObject, at: string): string | null {
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {}
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  const missing = required.find((name) => typeof name === 'string' && !Object.hasOwn(value, name))
  if (missing !== undefined) return `${at}/${String(missing)}: missing`
  const others = schema['additionalProperties'] ?? true
  return firstOf(Object.entries(value), ([name, member]) =>
    departure(member, Object.hasOwn(properties, name) ? (properties[name] ?? true) : others, `${at}/${name}`),
  )
}

function itemDeparture(value: Json[], schema: JsonObject, at: string): string | null {
  const items = schema['items'] ?? true
  return firstOf([...value.entries()], ([index, member]) => departure(member, items, `${at}/${index}`))
}

function firstOf<T>(things: T[], find: (thing: T) => string | null): string | null {
  for (const thing of things) {
    const found = find(thing)
    if (found !== null) return found
  }
  return null
}
