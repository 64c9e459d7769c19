import { expect, test } from 'vitest'
import type { Agent } from './agent.ts'
import { evaluate, expressionFault } from './expression.ts'
import type { Json } from './json.ts'

const agent: Agent = {
  name: 'a',
  title: 'A',
  description: 'a',
  examples: [],
  tools: [],
  slots: {},
  variables: { n: 0, price: 0, rows: [], row: null, text: '' },
  anytime: [],
  start: 'end',
  steps: { end: { verb: 'end' } },
}
const values: Record<string, Json> = {
  n: 2,
  price: 2.5,
  rows: [{ k: 1 }, { k: 2 }],
  row: { 'Some Key': 'x', deep: { n: 36 } },
  text: '12',
  person: { email: 'ada@example.com' },
}

test.each<[string, Json]>([
  ['n + 1', 3],
  ['n * row.deep.n', 72],
  ['price > 2', true],
  ['price + 1.5', 4],
  ['row["Some Key"]', 'x'],
  ['rows.filter(r, r.k > 1)', [{ k: 2 }]],
  ['rows.size()', 2],
  ['int(text) + n', 14],
  ['{"a": n, "b": "c"}', { a: 2, b: 'c' }],
  ['[1, "a", null]', [1, 'a', null]],
  ['has(row.nothing)', false],
  ['message == null', true],
  ['person.email', 'ada@example.com'],
])('%s is %j', (source, result) => expect(evaluate(agent, source, values)).toEqual(result))

test.each([
  ['row.nothing', /no_such_key/],
  ['row.constructor', /no_such_key/],
  ['9223372036854775807', /too large/],
  ['1.0 / 0.0', /not finite/],
  ['timestamp("2024-01-01T00:00:00Z")', /kind that JSON does not have/],
  ['n + text', /no_such_overload/],
])('%s fails as flow.expression-failed', (source, reason) => {
  let fault: unknown
  try {
    evaluate(agent, source, values)
  } catch (error) {
    fault = error
  }
  expect(fault).toMatchObject({ code: 'flow.expression-failed', message: expect.stringMatching(reason) })
})

test('the fault does not tell the values', () => {
  expect(() => evaluate(agent, 'int(text)', { ...values, text: 'my secret' })).toThrow(/^(?!.*secret)/s)
})

test.each([
  ['n +', /EOF/],
  ['nobody', /Unknown variable: nobody/],
  ['text.matches("a+")', /not allowed/],
  ['rows.exists(r, matches(r.k, "a"))', /matches/],
  ['"a" + 1', /overload/],
])('%s is refused by the check', (source, reason) => expect(expressionFault(agent, source)).toMatch(reason))

test('names that macros bind are no unknown names', () => {
  expect(expressionFault(agent, 'rows.exists(r, r.k == 2) && cel.bind(m, n, m > 1)')).toBeNull()
})
