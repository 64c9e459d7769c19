import { expect, test } from 'vitest'
import { laptops } from '../testing/laptops.ts'

test('lookup: no row is a branch, two rows where one is expected are a fault', () => {
  expect(laptops({ rows: {} }).say('refresh')[0]).toMatch(/^I cannot look that up/)
  const two = [
    { scope: 'standard', months: 36 },
    { scope: 'standard', months: 48 },
  ]
  expect(() => laptops({ rows: { policy: two } }).say('refresh')).toThrow(/2 rows of policy/)
})
