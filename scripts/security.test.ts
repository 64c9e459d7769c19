import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { routes } from '../functions/ingress/routes.ts'
import { channels } from '../shared/channels/registry.ts'
import { abuses, abuseTable, readAbuse, routeTable, threatTable } from './security/tables.ts'
import { agenticThreats, llmThreats } from './security/threats.ts'

const root = join(import.meta.dirname, '..')

test('every threat of both lists has a row, and each row names tests that are there', () => {
  const numbers = Array.from({ length: 10 }, (_, index) => String(index + 1).padStart(2, '0'))
  expect(llmThreats.map(({ id }) => id)).toEqual(numbers.map((number) => `LLM${number}`))
  expect(agenticThreats.map(({ id }) => id)).toEqual(numbers.map((number) => `ASI${number}`))
  for (const { id, tests } of [...llmThreats, ...agenticThreats]) {
    expect(tests.length, id).toBeGreaterThan(0)
    for (const file of tests) {
      expect(file, id).toMatch(/\.test\.ts$/)
      expect(existsSync(join(root, file)), `${id} names ${file}`).toBe(true)
    }
  }
})

test('every route stands in the table, once', () => {
  const all = [...routes, ...channels.flatMap(({ routes: own = [] }) => own)]
  const table = routeTable()
  for (const { method, path } of all) expect(table.split(`| ${method} | \`${path}\` |`)).toHaveLength(2)
  expect(table.split('\n')).toHaveLength(all.length + 2)
})

test('the document has the tables as they are today, and nothing was let in', () => {
  const document = readFileSync(join(root, 'docs/security.md'), 'utf8')
  const figures = JSON.parse(readFileSync(join(root, 'docs/figures/abuse.json'), 'utf8'))
  expect(Object.keys(figures).sort()).toEqual(Object.keys(abuses).sort())
  for (const one of Object.values<{ letIn: number }>(figures)) expect(one.letIn).toBe(0)
  for (const table of [routeTable(), threatTable(), abuseTable(figures)]) expect(document).toContain(table)
})

test('what is no report is refused', () => {
  expect(readAbuse('{"tried":3,"letIn":0,"forged":2}')).toEqual({ tried: 3, letIn: 0 })
  for (const text of ['', '{}', '{"tried":0,"letIn":0}', '{"tried":3}', '{"tried":"3","letIn":0}']) {
    expect(() => readAbuse(text)).toThrow()
  }
})
