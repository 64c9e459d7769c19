import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson, hashArguments } from './canonical-json.ts'
import type { Json } from './json.ts'

test('keys are sorted at every depth and nothing else changes', () => {
  expect(canonicalJson({ b: [{ z: 1, a: null }], a: 'x"', __proto__: 0 })).toBe('{"a":"x\\"","b":[{"a":null,"z":1}]}')
  expect(canonicalJson(JSON.parse('{"b":1,"__proto__":2}'))).toBe('{"__proto__":2,"b":1}')
})

test('the hash is that of the canonical text', () => {
  expect(hashArguments({})).toBe('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a')
  expect(hashArguments({ a: 1, b: 2 })).toBe(hashArguments({ b: 2, a: 1 }))
  expect(hashArguments({ a: 1 })).not.toBe(hashArguments({ a: '1' }))
})

test('it is JSON of the same value, whatever the value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json: Json = JSON.parse(JSON.stringify(value))
      expect(JSON.parse(canonicalJson(json))).toEqual(json)
    }),
  )
})
