import { expect, test } from 'vitest'
import { parseYaml } from './parse-yaml.ts'

const parse = (text: string) => parseYaml('t.yaml', text)

test('a list of maps is rows, a map is one row, and values keep their types', () => {
  expect(parse('- {a: 1, b: "1", c: 2025-08-06, d: true, e: null, f: [x, {y: 1.5}]}\n- a: NO\n')).toEqual([
    { a: 1, b: '1', c: '2025-08-06', d: true, e: null, f: ['x', { y: 1.5 }] },
    { a: 'NO' },
  ])
  expect(parse('months: 36\nscope: standard')).toEqual([{ months: 36, scope: 'standard' }])
  expect(parse('[]')).toEqual([])
})

test.each([
  ['', 't.yaml:1: is neither a list of maps nor a map'],
  ['just words', 't.yaml:1: is neither a list of maps nor a map'],
  ['- {a: 1}\n- 2', 't.yaml:2: this item is no map'],
  ['- {a: 1}\n-', 't.yaml:2: this item is no map'],
  ['a: 1\na: 2', 't.yaml:2: Map keys must be unique'],
  ['- a: 1\n  b: [', 't.yaml:2: '],
  ['- &x {a: 1}\n- *x', 't.yaml:2: has an alias'],
  ['a: 90071992547409931', 't.yaml:1: the number 90071992547409931 is not exact; quote it'],
  ['a: .inf', 't.yaml:1: the number .inf is not exact'],
  ['a: !!js/function x', 't.yaml:1: Unresolved tag'],
])('%j is refused', (text, message) => {
  expect(() => parse(text)).toThrow(message)
})
