import { expect, test } from 'vitest'
import { readSettings } from './settings.ts'

test('without options it is the whole run, by each way that there is', () => {
  expect(readSettings([], '/root', true)).toMatchObject({
    ...{ sessions: 200, messages: 20, instances: 4, hold: 30, restarts: 3 },
    ...{ ways: ['postgres', 'pgbouncer'], phases: ['closed', 'open', 'restarts'] },
  })
  expect(readSettings([], '/root', false)?.ways).toEqual(['postgres'])
  expect(readSettings(['--help'], '/root', false)).toBeNull()
})

test.each([
  [['--sessions', 'many'], /--sessions takes a whole number/],
  [['--messages', '0'], /--messages takes a whole number from 1/],
  [['--ways', 'oracle'], /--ways takes postgres,pgbouncer/],
  [['--phases', 'open,shut'], /--phases takes closed,open,restarts/],
  [['--ways', 'pgbouncer'], /PgBouncer was not found/],
  [['--database', 'postgres://x'], /--database needs --restart/],
])('%j is refused in a sentence', (argv, sentence) => {
  expect(() => readSettings(argv, '/root', false)).toThrow(sentence)
})
