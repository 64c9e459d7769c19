import { expect, test } from 'vitest'
import { editDistance } from './edit-distance.ts'

test.each([
  ['printer', 'printer', 0],
  ['prniter', 'printer', 1],
  ['pinter', 'printer', 1],
  ['printter', 'printer', 1],
  ['prinder', 'printer', 1],
  ['weather', 'whether', 2],
  ['abroad', 'abraod', 1],
  ['', 'ab', 2],
  ['ab', '', 2],
  ['printer', 'toner', 3],
  ['a', 'abcdefgh', 3],
])('%s and %s: %i', (one, other, distance) => {
  expect(editDistance(one, other)).toBe(distance)
  expect(editDistance(other, one)).toBe(distance)
})
