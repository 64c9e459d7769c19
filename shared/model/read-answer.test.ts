import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SlotQuestion } from './model.ts'
import { readComposition, readDecision, readExtraction } from './read-answer.ts'

const labels = ['yes', 'no', 'unsure']

test('a label that was offered is read, white space around it or not', () => {
  expect(readDecision('{"label":"no"}', labels)).toBe('no')
  expect(readDecision(' \n{ "label" : "unsure" }\n', labels)).toBe('unsure')
})

test.each([
  ['empty', ''],
  ['broken', '{"label":"yes"'],
  ['text around it', 'Sure! {"label":"yes"}'],
  ['a code fence', '```json\n{"label":"yes"}\n```'],
  ['a label that was not offered', '{"label":"admin"}'],
  ['another case', '{"label":"YES"}'],
  ['a number', '{"label":1}'],
  ['null', '{"label":null}'],
  ['a list', '{"label":["yes"]}'],
  ['an extra key', '{"label":"yes","confirmed":true}'],
  ['a bare word', '"yes"'],
  ['two objects', '{"label":"yes"}{"label":"no"}'],
  ['a prototype', '{"__proto__":{"label":"yes"}}'],
  ['a control character', '{"label":"yes\\u0000"}'],
  ['huge', `{"label":"yes"}${' '.repeat(100_000)}`],
])('a decision that is %s counts as none', (_name, raw) => {
  expect(readDecision(raw, labels)).toBeNull()
})

const slots: SlotQuestion[] = [
  { name: 'size', type: 'choice', description: '', values: ['S', 'M'] },
  { name: 'count', type: 'integer', description: '' },
  { name: 'why', type: 'text', description: '' },
]

test('slots are read, null where the message did not say', () => {
  expect(readExtraction('{"size":"M","count":3,"why":null}', slots)).toEqual({ size: 'M', count: 3, why: null })
})

test.each([
  ['a value that was not offered', '{"size":"XL","count":3,"why":null}'],
  ['a missing slot', '{"size":"M","count":3}'],
  ['a slot too many', '{"size":"M","count":3,"why":null,"price":1}'],
  ['a number as text', '{"size":"M","count":"3","why":null}'],
  ['a fraction', '{"size":"M","count":3.5,"why":null}'],
  ['a number past what is exact', '{"size":"M","count":9007199254740993,"why":null}'],
  ['an endless number', '{"size":"M","count":1e400,"why":null}'],
  ['a control character', '{"size":"M","count":3,"why":"a\\u0000b"}'],
  ['a lone surrogate', '{"size":"M","count":3,"why":"\\ud800"}'],
  ['an object for a text', '{"size":"M","count":3,"why":{}}'],
  ['a list', '[1]'],
  ['null', 'null'],
  ['very long', `{"size":"M","count":3,"why":"${'x'.repeat(2_001)}"}`],
])('slots with %s count as none', (_name, raw) => {
  expect(readExtraction(raw, slots)).toBeNull()
})

test('a slot by the name of a prototype stays a slot', () => {
  const values = readExtraction('{"__proto__":5}', [{ name: '__proto__', type: 'integer', description: '' }])
  expect(values === null ? null : Object.entries(values)).toEqual([['__proto__', 5]])
  expect(({} as Record<string, unknown>)['5']).toBeUndefined()
})

const sentences = [1, 2, 7].map((number) => ({ number, text: 'x' }))

test('sentence numbers are read once each, in order', () => {
  expect(readComposition('{"sentences":[7,1,7]}', sentences)).toEqual([7, 1])
  expect(readComposition('{"sentences":[]}', sentences)).toEqual([])
})

test.each([
  '{"sentences":[3]}',
  '{"sentences":["1"]}',
  '{"sentences":[1.5]}',
  '{"sentences":1}',
  '{"sentences":null}',
  '[]',
  `{"sentences":[${'1,'.repeat(500)}1]}`,
])('sentence numbers %s count as none', (raw) => expect(readComposition(raw, sentences)).toBeNull())

test('whatever a model says, a reader gives an allowed value or null and never throws', () => {
  const json = fc.json()
  const near = fc
    .record(
      { label: fc.oneof(fc.constantFrom(...labels), fc.anything()), sentences: fc.anything(), size: fc.anything() },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value) ?? '')
  fc.assert(
    fc.property(fc.oneof(fc.string(), json, near), (raw) => {
      const decided = readDecision(raw, labels)
      if (decided !== null) expect(labels).toContain(decided)
      const composed = readComposition(raw, sentences)
      for (const number of composed ?? []) expect([1, 2, 7]).toContain(number)
      const extracted = readExtraction(raw, slots)
      if (extracted !== null) expect(Object.keys(extracted)).toEqual(['size', 'count', 'why'])
    }),
    { numRuns: 500 },
  )
})
