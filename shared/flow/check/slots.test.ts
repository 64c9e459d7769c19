import { expect, test } from 'vitest'
import { faultsOf } from '../testing/sample-file.ts'

test.each<[string, string | RegExp, string, string[]]>([
  [
    'a slot that is none',
    'extract: [seats]',
    'extract: [chairs]',
    ['6: no step extracts the slot "seats"', '27: there is no slot "chairs"'],
  ],
  ['a slot twice', 'extract: [seats]', 'extract: [seats, seats]', ['27: the slot "seats" stands twice']],
  [
    'a slot that no step extracts',
    'variables:',
    '  more: {type: text, description: x}\nvariables:',
    ['7: no step extracts the slot "more"'],
  ],
  [
    'a missing that is not extracted',
    'none: offer, next: enough',
    'none: offer, missing: {tries: offer}, next: enough',
    ['27: the step does not extract "tries"'],
  ],
  [
    'no way on without the slot',
    'extract: [seats], none: offer',
    'extract: [seats]',
    ['27: nothing says where to go without "seats": give "none" or "missing"'],
  ],
  [
    'a pattern that could run for minutes',
    'type: integer, minimum: 1, maximum: 5',
    "type: text, pattern: '(a+)+'",
    ['6: the pattern repeats without a limit: write {1,40} for + and {0,40} for *'],
  ],
  ['a range that is empty', 'minimum: 1', 'minimum: 9', ['6: the minimum is above the maximum']],
  [
    'an unknown name in a choice',
    'type: integer, minimum: 1, maximum: 5',
    'type: choice, from: chairs, match: [a]',
    ['6: unknown name "chairs" in `chairs`'],
  ],
])('%s', async (_, from, to, expected) => {
  expect(await faultsOf(from, to)).toEqual(expected)
})
