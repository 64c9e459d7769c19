import { expect, test } from 'vitest'
import { faultsOf } from '../testing/sample-file.ts'

test.each<[string, string | RegExp, string, string[]]>([
  [
    'another name than the folder',
    'name: sample',
    'name: simple',
    ['1: the name "simple" is not that of the folder, "sample"'],
  ],
  [
    'a name that is always in scope',
    'save: passages',
    'save: message',
    ['32: "message" is always in scope', '33: unknown name "passages" in `passages`'],
  ],
  [
    'a word of the language',
    'variables: {tries: 0}',
    'variables: {tries: 0, size: 1}',
    ['7: "size" is a word of CEL or Liquid'],
  ],
  [
    'a slot saved over',
    'save: passages',
    'save: seats',
    ['32: "seats" is a slot: save under another name', '33: unknown name "passages" in `passages`'],
  ],
  [
    'a slot and a variable of one name',
    'variables: {tries: 0}',
    'variables: {tries: 0, seats: 1}',
    ['7: "seats" is a slot already'],
  ],
])('%s', async (_, from, to, expected) => {
  expect(await faultsOf(from, to)).toEqual(expected)
})
