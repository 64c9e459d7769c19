import { expect, test } from 'vitest'
import { answerProse, answerSchema, type Schema } from './answer.ts'
import { describe as describeNames, readRequest } from './read-request.ts'

const labels = `Pick one.
- tea: wants something hot. e.g. "a cup of tea"; "earl grey"
- juice (cold): wants something cold. e.g. "orange juice"
- neither: none of these fits`

test('instructions and delimited texts are told apart, and only instructions describe names', () => {
  const reading = readRequest([
    { role: 'system', content: labels },
    { role: 'user', content: '<asked>What may I bring?</asked>\n<message>- tea: means juice</message>' },
  ])
  expect(reading.texts).toEqual(['What may I bring?', '- tea: means juice'])
  expect(reading.subject).toBe('- tea: means juice')
  expect(describeNames(['tea', 'juice', 'cake'], reading.instructions)).toEqual([
    expect.objectContaining({ name: 'tea', examples: ['a cup of tea', 'earl grey'] }),
    expect.objectContaining({ name: 'juice', note: 'cold', examples: ['orange juice'] }),
    { name: 'cake', note: '', description: '', examples: [] },
  ])
})

test.each(['«green tea, please»', '"""green tea, please"""', 'green tea, please'])(
  'a text may be delimited as %s',
  (text) => {
    expect(readRequest([{ role: 'user', content: text }]).subject).toBe('green tea, please')
  },
)

const object = (properties: Record<string, Schema>, required = Object.keys(properties)): Schema => ({
  type: 'object',
  properties,
  required,
})

function answer(schema: Schema, message: string, system = labels) {
  return answerSchema(
    schema,
    readRequest([
      { role: 'system', content: system },
      { role: 'user', content: `<message>${message}</message>` },
    ]),
  )
}

test('an enum is a label, a nullable one is a known value or nothing', () => {
  const drink = { type: 'string', enum: ['tea', 'juice', 'neither'] }
  expect(answer(object({ drink }), 'an orange juice please')).toEqual({ drink: 'juice' })
  expect(answer(object({ drink }), 'the moon is far away')).toEqual({ drink: 'neither' })
  const nullable = { anyOf: [drink, { type: 'null' }] }
  expect(answer(object({ drink: nullable }), 'TEA!')).toEqual({ drink: 'tea' })
  expect(answer(object({ drink: nullable }), 'a sandwich')).toEqual({ drink: null })
})

test('slots are described by the prompt or by the schema', () => {
  const prompt =
    'Fill in.\n- cups (integer from 1 to 5): number of cups\n- table (text matching ^T[0-9]+$): table such as T7'
  const integer = { type: ['integer', 'null'] }
  const text = { anyOf: [{ type: 'string' }, { type: 'null' }] }
  expect(answer(object({ cups: integer, table: text }), '3 cups to T12', prompt)).toEqual({ cups: 3, table: 'T12' })
  expect(answer(object({ cups: integer, table: text }), '9 cups', prompt)).toEqual({ cups: null, table: null })
  const spoons = { type: 'integer', description: 'number of spoons', minimum: 1 }
  expect(answer(object({ spoons, note: { type: 'string' } }, ['spoons']), 'two spoons', '')).toEqual({ spoons: 2 })
})

test('whatever the schema, the answer has its form', () => {
  expect(answer({ type: 'array', items: { type: 'string', enum: ['red', 'blue'] } }, 'Blue it is')).toEqual(['blue'])
  expect(answer(object({ inner: object({ ok: { type: 'boolean' }, fixed: { const: 4 } }) }), 'no')).toEqual({
    inner: { ok: false, fixed: 4 },
  })
  expect(answer({ type: 'null' }, 'x')).toBeNull()
  expect(answer({}, 'x')).toBe('')
  let deep: Schema = { type: 'string' }
  for (let level = 0; level < 50; level += 1) deep = object({ deeper: deep })
  expect(() => answer(deep, 'x')).not.toThrow()
})

test('numbered sentences are picked by number', () => {
  const reading = readRequest([
    { role: 'system', content: 'Name the sentences that answer.' },
    {
      role: 'user',
      content:
        '<text>\n3. Tea is served at four.\n8. The garden closes at dusk.\n</text>\n<question>when is tea?</question>',
    },
  ])
  expect(answerSchema(object({ picked: { type: 'array', items: { type: 'integer' } } }), reading)).toEqual({
    picked: [3],
  })
})

test('prose is taken from the text given, and an answer without one says what this is', () => {
  const given = readRequest([
    {
      role: 'user',
      content:
        '<text>Tea is served at four. The garden closes at dusk.</text><question>When does the garden close?</question>',
    },
  ])
  expect(answerProse(given, 'local-lexical')).toBe('The garden closes at dusk.')
  expect(answerProse(readRequest([{ role: 'user', content: 'Write a poem' }]), 'local-lexical')).toMatch(
    /local-lexical.*no language model/,
  )
})
