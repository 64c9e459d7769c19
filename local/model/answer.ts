import * as z from 'zod/mini'
import { classify } from './classify.ts'
import { fillSlots, type Slot, type SlotValue } from './fill-slots.ts'
import { pickSentences, sentencesOf } from './pick-sentences.ts'
import { describe, numberedLines, type Reading } from './read-request.ts'

/** The part of JSON Schema that is read; everything else in a schema is let be. */
export interface Schema {
  type?: string | string[] | undefined
  enum?: unknown[] | undefined
  const?: unknown
  properties?: Record<string, Schema> | undefined
  required?: string[] | undefined
  items?: Schema | undefined
  anyOf?: Schema[] | undefined
  oneOf?: Schema[] | undefined
  description?: string | undefined
  pattern?: string | undefined
  minimum?: number | undefined
  maximum?: number | undefined
}

export const schemaShape: z.ZodMiniType<Schema> = z.lazy(() =>
  z.looseObject({
    type: z.optional(z.union([z.string(), z.array(z.string())])),
    enum: z.optional(z.array(z.unknown()).check(z.maxLength(2_000))),
    properties: z.optional(z.record(z.string(), schemaShape)),
    required: z.optional(z.array(z.string())),
    items: z.optional(schemaShape),
    anyOf: z.optional(z.array(schemaShape)),
    oneOf: z.optional(z.array(schemaShape)),
    description: z.optional(z.string()),
    pattern: z.optional(z.string()),
    minimum: z.optional(z.number()),
    maximum: z.optional(z.number()),
  }),
)

const deepest = 8

/** A value that fits a schema, as far as the request's own texts say what to put there. */
export function answerSchema(schema: Schema, reading: Reading, depth = 0): unknown {
  const { plain, nullable } = withoutNull(schema)
  if (plain.const !== undefined) return plain.const
  if (depth > deepest) return null
  const type = typeOf(plain)
  if (type === 'object') return answerObject(plain, reading, depth)
  if (type === 'array') return answerArray(plain, reading)
  if (plain.enum !== undefined && !nullable) return chooseFrom(plain.enum, reading, plain.description)
  const [value] = fillSlots(reading.subject, askedBefore(reading), [slotOf('', plain, reading)])
  return value ?? (nullable ? null : defaultFor(plain, reading))
}

/** One of some words, as `structured_outputs.choice` wants it. */
export function chooseFrom(values: readonly unknown[], reading: Reading, description = ''): unknown {
  const names = values.map(String)
  const told = describe(names, `${reading.instructions}\n${description}`)
  return values[classify(reading.subject, told).index]
}

/** Prose for a request without a schema: the sentences of the given text that answer it, word for word. */
export function answerProse(reading: Reading, model: string): string {
  const given = reading.texts.length > 1 ? reading.texts.slice(0, -1).join('\n') : reading.instructions
  const sentences = sentencesOf(given.replace(/^\s*(?:\[\d+\]|\d+[.)])\s+/gm, ''))
  const picked = pickSentences(reading.subject, sentences)
  if (picked.length > 0) return picked.map((index) => sentences[index]).join(' ')
  return `I am ${model}, a small deterministic program and no language model: I only repeat what a request itself contains, and found no answer in this one.`
}

function answerObject(schema: Schema, reading: Reading, depth: number): Record<string, unknown> {
  const properties = Object.entries(schema.properties ?? {})
  const slots = new Map<string, Slot>()
  for (const [name, property] of properties) {
    const { plain, nullable } = withoutNull(property)
    const scalar = !['object', 'array', 'null'].includes(typeOf(plain))
    if (scalar && plain.const === undefined && (nullable || plain.enum === undefined)) {
      slots.set(name, slotOf(name, plain, reading))
    }
  }
  const filled = fillSlots(reading.subject, askedBefore(reading), [...slots.values()])
  const values = new Map<string, SlotValue>([...slots.keys()].map((name, index) => [name, filled[index] ?? null]))
  // A property that may be left out is, where the text says nothing for it.
  const given = properties.filter(
    ([name]) => !slots.has(name) || values.get(name) !== null || schema.required?.includes(name) !== false,
  )
  const answer: [string, unknown][] = given.map(([name, property]) => {
    const { plain, nullable } = withoutNull(property)
    if (!slots.has(name)) return [name, answerSchema(property, reading, depth + 1)]
    return [name, values.get(name) ?? (nullable ? null : defaultFor(plain, reading))]
  })
  return Object.fromEntries(answer)
}

function answerArray(schema: Schema, reading: Reading): unknown[] {
  const item = withoutNull(schema.items ?? {}).plain
  if (item.enum !== undefined)
    return item.enum.filter((value) => reading.subject.toLowerCase().includes(String(value).toLowerCase()))
  const lines = numberedLines([reading.instructions, ...reading.texts.slice(0, -1)].join('\n'))
  const picked = pickSentences(
    reading.subject,
    lines.map((line) => line.text),
  )
  if (typeOf(item) === 'integer' || typeOf(item) === 'number') return picked.map((index) => lines[index]?.number)
  if (typeOf(item) === 'string') return picked.map((index) => lines[index]?.text)
  return []
}

function slotOf(name: string, schema: Schema, reading: Reading): Slot {
  const [told] = name === '' ? [] : describe([name], reading.instructions)
  const type = typeOf(schema)
  const values = (schema.enum ?? []).filter((value) => typeof value === 'string')
  const kind =
    values.length > 0 ? 'choice' : type === 'integer' || type === 'number' || type === 'boolean' ? type : 'text'
  return {
    name,
    kind,
    description: schema.description ?? told?.description ?? '',
    note: told?.note ?? '',
    pattern: schema.pattern,
    minimum: schema.minimum,
    maximum: schema.maximum,
    values,
  }
}

function askedBefore(reading: Reading): string {
  return reading.texts.slice(0, -1).join('\n')
}

function defaultFor(schema: Schema, reading: Reading): unknown {
  if (schema.enum !== undefined) return chooseFrom(schema.enum, reading, schema.description)
  const type = typeOf(schema)
  if (type === 'integer' || type === 'number') return schema.minimum ?? 0
  if (type === 'boolean') return false
  if (type === 'null') return null
  return ''
}

/** A schema without its "or null", and whether it had one. */
function withoutNull(schema: Schema): { plain: Schema; nullable: boolean } {
  const branches = schema.anyOf ?? schema.oneOf
  if (branches !== undefined) {
    const rest = branches.filter((branch) => branch.type !== 'null')
    const first = rest[0]
    if (first === undefined) return { plain: { type: 'null' }, nullable: true }
    const inner = withoutNull({ ...first, description: first.description ?? schema.description })
    return { plain: inner.plain, nullable: inner.nullable || rest.length < branches.length }
  }
  const types = Array.isArray(schema.type) ? schema.type : undefined
  const nullable = types?.includes('null') === true || schema.enum?.includes(null) === true
  if (!nullable) return { plain: schema, nullable: schema.type === 'null' }
  return {
    plain: {
      ...schema,
      type: types?.find((type) => type !== 'null'),
      enum: schema.enum?.filter((value) => value !== null),
    },
    nullable,
  }
}

function typeOf(schema: Schema): string {
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  if (type !== undefined) return type
  return schema.properties === undefined ? (schema.items === undefined ? 'string' : 'array') : 'object'
}
