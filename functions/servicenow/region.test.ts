import { expect, test } from 'vitest'
import { regionOf } from './region.ts'

test.each([
  ['EMEA', 'EMEA'],
  ['latam', 'LATAM'],
  [' NA ', 'NA'],
  ['San Francisco Office', 'NA'],
  ['London Office', 'EMEA'],
  ['Tokyo Office', 'APAC'],
  ['Sydney Office', 'APAC'],
  ['Remote', null],
  ['', null],
  ['constructor', null],
  ['Canada', null],
])('%s is in %s', (location, region) => {
  expect(regionOf(location)).toBe(region)
})
