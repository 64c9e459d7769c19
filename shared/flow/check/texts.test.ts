import { expect, test } from 'vitest'
import { faultsOf } from '../testing/sample-file.ts'

test.each<[string, string | RegExp, string, string[]]>([
  ['CEL that is none', 'if: seats > 1', 'if: seats >', ['30: `seats >`: Unexpected token: EOF']],
  ['an unknown name in CEL', 'if: seats > 1', 'if: chairs > 1', ['30: unknown name "chairs" in `chairs > 1`']],
  [
    'matches in CEL',
    'if: seats > 1',
    `if: message.matches("(a+)+")`,
    [expect.stringMatching(/^30: .*`matches` is not allowed/)],
  ],
  ['an unknown name in an argument', `{code: '"x"'}`, '{code: cod}', ['35: unknown name "cod" in `cod`']],
  ['an unknown name in a search', 'search: message', 'search: msg', ['32: unknown name "msg" in `msg`']],
  [
    'an unknown name in a condition of a table',
    'where: {a: tries}',
    'where: {a: tires}',
    ['13: unknown name "tires" in `tires`'],
  ],
  [
    'an unknown name in a text, on its line',
    'Hello\n      {{ employee.name }}',
    'Hello\n      {{ employe.name }}',
    ['17: unknown name "employe" in the text'],
  ],
  ['an unknown name in a short text', 'ask: Sure?', 'ask: "Sure, {{ who }}?"', ['35: unknown name "who" in the text']],
  [
    'Liquid that is none',
    'ask: Sure?',
    'ask: "{% if seats %}Sure?"',
    ['35: the text is not Liquid: tag {% if seats %} not closed'],
  ],
  [
    'Liquid that includes',
    'ask: Sure?',
    `ask: "{% include 'x' %}"`,
    ['35: the text is not Liquid: tag "include" not found'],
  ],
  [
    'a filter that is none',
    'ask: Sure?',
    'ask: "{{ seats | nofilter }}"',
    ['35: the text is not Liquid: undefined filter: nofilter'],
  ],
])('%s', async (_, from, to, expected) => {
  expect(await faultsOf(from, to)).toEqual(expected)
})
