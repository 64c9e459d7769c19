import { expect, test } from 'vitest'
import { cleanJson, isBlank } from './clean-json.ts'

test('what Postgres cannot store is taken out, and nothing else', () => {
  expect(cleanJson({ 'a\0b': ['x\0', '\ud800y', 'z\udc00', '😀', '\u200b'], n: 1, t: true, nil: null })).toEqual({
    ab: ['x', '\ufffdy', 'z\ufffd', '😀', '\u200b'],
    n: 1,
    t: true,
    nil: null,
  })
})

test('a name of the language stays a name', () => {
  const cleaned = cleanJson(JSON.parse('{"__proto__": {"polluted": true}}'))
  expect(Object.getPrototypeOf(cleaned)).toBe(Object.prototype)
  expect(Object.keys(cleaned as object)).toEqual(['__proto__'])
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

test('nesting has an end', () => {
  const nested = (depth: number) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)
  expect(cleanJson(nested(17))).toBeTruthy()
  expect(() => cleanJson(nested(18))).toThrow(expect.objectContaining({ code: 'request.malformed' }))
  expect(() => cleanJson(nested(50_000))).toThrow(expect.objectContaining({ code: 'request.malformed' }))
})

test.each(['', ' \n\t\u00a0', '\u200b\u200d\ufeff', '\u202e\u2066', '\u3164\u2800\ufe0f', '\u0007'])(
  '%j is blank',
  (text) => expect(isBlank(text)).toBe(true),
)
test.each(['a', '.', '😀', '\u200bה', '0'])('%j is not blank', (text) => expect(isBlank(text)).toBe(false))
