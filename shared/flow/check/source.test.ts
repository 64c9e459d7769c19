import { expect, test } from 'vitest'
import { faultsOf, sampleFile } from '../testing/sample-file.ts'

test.each<[string, string | RegExp, string, string[]]>([
  [
    'broken YAML',
    'title: Sample',
    'title: [Sample',
    ['3: Flow sequence in block collection must be sufficiently indented and end with a ]'],
  ],
  ['a key twice', 'title: Sample', 'title: A\ntitle: B', ['3: Map keys must be unique']],
  [
    'a tag that is none',
    'title: Sample',
    'title: !!js/function x',
    ['2: Unresolved tag: tag:yaml.org,2002:js/function'],
  ],
  ['no agent at all', sampleFile, '- a\n', ['1: "the file" must be a map']],
])('%s', async (_, from, to, expected) => {
  expect(await faultsOf(from, to)).toEqual(expected)
})
