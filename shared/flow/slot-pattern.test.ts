import { expect, test } from 'vitest'
import { patternFault, spansOf, wholePattern } from './slot-pattern.ts'

test.each([
  '^CC-[0-9]{4}$',
  '[A-Z]{2,3}-\\d{1,6}',
  '(?:INC|REQ)\\d{7}',
  'a?b?c?',
  '^\\p{Lu}[a-z]{1,30}$',
  'x|y',
  '[a\\]{4,}]',
])('%s may be used', (pattern) => expect(patternFault(pattern)).toBeNull())

test.each<[string, RegExp]>([
  ['a*', /without a limit/],
  ['a+', /without a limit/],
  ['(a|b)+', /without a limit/],
  ['a{2,}', /without a limit/],
  ['(?=a)b', /only/],
  ['(?<!a)b', /only/],
  ['(a)\\1', /refer back/],
  ['(?<n>a)\\k<n>', /only/],
  ['(a{1,20}){1,20}', /too many ways/],
  ['[a-z]{1,50}[a-z]{1,50}[a-z]{1,50}', /too many ways/],
  ['(a|a|a){20}', /too many ways/],
  ['[', /not a regular expression/],
])('%s is refused', (pattern, fault) => expect(patternFault(pattern)).toMatch(fault))

test('a span is a word of its own', () => {
  expect(spansOf('^CC-[0-9]{4}$', 'use CC-1234, or CC-1234 (not CC-12345)')).toEqual(['CC-1234'])
  expect(spansOf('^CC-[0-9]{4}$', 'CC-1234 or CC-4321')).toEqual(['CC-1234', 'CC-4321'])
  expect(spansOf('a{0,1}', 'b b')).toEqual([])
  expect(wholePattern('^CC-[0-9]{4}$').test('CC-12345')).toBe(false)
  expect(wholePattern('a|b').test('ab')).toBe(false)
})

test('the worst pattern that is taken is quick on the worst text', () => {
  const pattern = '[a-z]{1,99}[a-z]{1,99}1'
  expect(patternFault(pattern)).toBeNull()
  const before = performance.now()
  expect(spansOf(pattern, 'a'.repeat(4000))).toEqual([])
  expect(performance.now() - before).toBeLessThan(2000)
})
