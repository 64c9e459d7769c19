import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '../flow/json.ts'
import { readToolCatalogue } from './catalogue.ts'
import { departure } from './schema-check.ts'

const schemas: Record<string, Json> = {
  closed: {
    type: 'object',
    properties: { a: { type: 'integer', minimum: 0, maximum: 3 }, b: { enum: ['x', 'y', null] } },
    required: ['a'],
    additionalProperties: false,
  },
  open: {
    type: 'object',
    properties: { a: { type: ['string', 'null'], maxLength: 2 } },
    additionalProperties: { type: 'number' },
  },
  list: {
    type: 'array',
    items: { anyOf: [{ type: 'null' }, { type: 'object', required: ['a'] }] },
    minItems: 1,
    maxItems: 2,
  },
  constant: { const: 'a' },
  both: { allOf: [{ type: 'number' }, { minimum: 1 }] },
  one: { oneOf: [{ type: 'number' }, { type: 'integer' }, { type: 'string', minLength: 1 }] },
  anything: true,
  nothing: false,
}

// Values near the schemas, so that both answers come up.
const { value: near } = fc.letrec((tie) => ({
  leaf: fc.constantFrom(null, true, 0, 1, 3, 4, -1, 1.5, '', 'a', 'x', 'yyy', '👍👍'),
  value: fc.oneof(
    { depthSize: 'small' },
    tie('leaf'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
  ),
}))

test.each(Object.entries(schemas))('%s is judged as ajv judges it', (_name, schema) => {
  const judge = new Ajv2020({ strict: false }).compile(schema as object)
  fc.assert(
    fc.property(near, (given) => {
      const value = JSON.parse(JSON.stringify(given)) as Json
      expect(departure(value, schema) === null).toBe(judge(value))
    }),
    { numRuns: 1000 },
  )
})

test('a departure is named by where it is', async () => {
  const catalogue = await readToolCatalogue('agents/tools.json')
  const schema = catalogue['servicenow']?.tools[0]?.outputSchema ?? {}
  const value = { employee_id: null, name: 'A', email: 'a@b', location: '', region: null, laptop: null }
  expect(departure(value, schema)).toBeNull()
  expect(departure({ ...value, region: 'MARS' }, schema)).toBe('/region: fits no alternative')
  expect(departure({ ...value, name: 1 }, schema)).toBe('/name: not string')
  expect(departure({ ...value, more: 1 }, schema)).toBe('/more: nothing is allowed here')
  expect(departure({ ...value, constructor: 1 }, schema)).toBe('/constructor: nothing is allowed here')
  expect(departure({}, schema)).toBe('/employee_id: missing')
  expect(departure('a', schema)).toBe('/: not object')
})
