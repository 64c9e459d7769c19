import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { faultsOf, sampleFolder } from '../testing/sample-file.ts'

test.each<[string, string | RegExp, string, string[]]>([
  ['an unknown agent', 'handoff: router', 'handoff: nobody', ['37: there is no agent "nobody"']],
  ['a hand-off to itself', 'handoff: router', 'handoff: sample', ['37: an agent cannot hand off to itself']],
  [
    'an unknown table',
    'lookup: rows',
    'lookup: columns',
    ['13: there is no table "columns": knowledge/ has offers, policy, rows'],
  ],
])('%s', async (_, from, to, expected) => {
  expect(await faultsOf(from, to)).toEqual(expected)
})

test('search needs a document', async () => {
  await rm(join(sampleFolder(), 'knowledge', 'refresh.md'))
  expect(await faultsOf('', '')).toEqual(['32: knowledge/ has no document (*.md) to search'])
})
