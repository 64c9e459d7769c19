import { expect, test } from 'vitest'
import type { Agent } from './agent.ts'
import { readTemplate, render } from './template.ts'

const agent: Agent = {
  name: 'a',
  title: 'A',
  description: 'a',
  examples: [],
  tools: [],
  slots: {},
  variables: {},
  anytime: [],
  start: 'end',
  steps: { end: { verb: 'end' } },
}

test('values are data, also where they look like a template', () => {
  expect(render(agent, '{{ a }}', { a: '{{ b }}{% raw %}', b: 'x' })).toBe('{{ b }}{% raw %}')
})

test('fields with spaces, loops, what is null, and white space at the ends', () => {
  const rows = [{ 'Some Key': 1 }, { 'Some Key': 2 }]
  const text = '\n{% for r in rows %}{{ r["Some Key"] }};{% endfor %}{{ none }}{{ none.deep }}\n\n'
  expect(render(agent, text, { rows, none: null })).toBe('1;2;')
  expect(render(agent, '{{ list }}', { list: ['a', 'b'] })).toBe('a, b')
})

test.each([
  ['{{ nobody }}', /undefined variable: nobody/],
  ['{{ row.nothing }}', /undefined variable: row.nothing/],
  ['{{ row }}', /cannot be written/],
  ['{{ row.constructor }}', /undefined variable/],
  ['{{ "now" | date: "%Y" }}', /cannot be written/],
])('%s is a fault, never a text', (source, reason) => {
  expect(() => render(agent, source, { row: { a: 1 } })).toThrow(reason)
})

test.each([
  '{% include "x" %}',
  '{% render "x" %}',
  '{% layout "x" %}',
  '{{ a | nofilter }}',
  '{{ rows | where_exp: "r", "r.a" }}',
  '{{ rows | sample }}',
  '{{ a',
  '{% if a %}',
])('%s is refused by the check', (source) => expect(readTemplate(source).fault).not.toBeNull())

test('the check sees the names that come from outside, and their lines', () => {
  const { fault, names } = readTemplate(
    '{% assign x = a.b %}{{ x }}\n{% for r in rows %}{{ r.k }}{{ forloop.index }}{% endfor %}',
  )
  expect(fault).toBeNull()
  expect([...names]).toEqual([
    ['a', 1],
    ['rows', 2],
  ])
})

test('dates are written in UTC', () => {
  expect(render(agent, '{{ d | date: "%H:%M" }}', { d: '2026-03-04T23:30:00Z' })).toBe('23:30')
})
