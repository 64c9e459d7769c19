import { expect, test } from 'vitest'
import { ageText, monthsSince, readDay } from './age.ts'

test.each([
  ['2020-01-15', '2026-11-24', 82, '6 years and 10 months'],
  ['2023-11-24', '2026-11-24', 36, '3 years'],
  ['2023-11-25', '2026-11-24', 35, '2 years and 11 months'],
  ['2025-11-24', '2026-11-24', 12, '1 year'],
  ['2025-10-24', '2026-11-24', 13, '1 year and 1 month'],
  ['2026-10-24', '2026-11-24', 1, '1 month'],
  ['2026-11-01', '2026-11-24', 0, '0 months'],
  ['2027-03-01', '2026-11-24', 0, '0 months'],
  ['2024-02-29', '2025-02-28', 12, '1 year'],
  ['2026-08-31', '2026-09-30', 1, '1 month'],
  ['2026-08-31', '2026-09-29', 0, '0 months'],
])('a laptop of %s is on %s %i months old: %s', (day, today, months, text) => {
  expect(monthsSince(day, new Date(`${today}T23:59:59Z`))).toBe(months)
  expect(ageText(months)).toBe(text)
})

test.each([
  ['2026-11-24', '2026-11-24'],
  ['2026-11-24 08:00:00', '2026-11-24'],
  ['2026-02-30', null],
  ['', null],
  ['24/11/2026', null],
])('the day of "%s" is %s', (given, day) => {
  expect(readDay(given)).toBe(day)
})
