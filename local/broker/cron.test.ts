import { expect, test } from 'vitest'
import { nextTick, parseSchedule } from './cron.ts'

const rows: [schedule: string, after: string, next: string | null][] = [
  ['*/5 * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:05:00Z'],
  ['*/5 * * * *', '2026-01-01T00:04:59.999Z', '2026-01-01T00:05:00Z'],
  ['*/5 * * * *', '2026-12-31T23:56:00Z', '2027-01-01T00:00:00Z'],
  ['* * * * *', '2026-01-01T00:00:30Z', '2026-01-01T00:01:00Z'],
  ['0 9 * * *', '2026-01-01T09:00:00Z', '2026-01-02T09:00:00Z'],
  ['15,45 8,17 * * *', '2026-01-01T08:20:00Z', '2026-01-01T08:45:00Z'],
  ['15,45 8,17 * * *', '2026-01-01T08:45:00Z', '2026-01-01T17:15:00Z'],
  ['0 0 1 * *', '2026-01-15T00:00:00Z', '2026-02-01T00:00:00Z'],
  ['0 0 31 * *', '2026-02-01T00:00:00Z', '2026-03-31T00:00:00Z'],
  ['0 0 29 2 *', '2026-03-01T00:00:00Z', '2028-02-29T00:00:00Z'],
  ['0 0 * * 1', '2026-01-01T00:00:00Z', '2026-01-05T00:00:00Z'],
  ['0 0 * * 7', '2026-01-01T00:00:00Z', '2026-01-04T00:00:00Z'],
  ['0 0 13 * 5', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
  ['0 0 30 2 *', '2026-01-01T00:00:00Z', null],
  ['@every 30s', '2026-01-01T00:00:10Z', '2026-01-01T00:00:40Z'],
  ['@every 1h30m', '2026-01-01T00:00:00Z', '2026-01-01T01:30:00Z'],
]

for (const [text, after, next] of rows) {
  test(`${text} after ${after} is ${next ?? 'never'}`, () => {
    const schedule = parseSchedule(text)
    expect(schedule === null ? 'no schedule' : (nextTick(schedule, new Date(after))?.toISOString() ?? null)).toBe(
      next === null ? null : new Date(next).toISOString(),
    )
  })
}

for (const text of [
  '',
  '* * * *',
  '* * * * * *',
  '60 * * * *',
  '*/0 * * * *',
  'a * * * *',
  '1-5 * * * *',
  '@daily',
  '@every 0s',
  '@every',
]) {
  test(`"${text}" is no schedule here`, () => {
    expect(parseSchedule(text)).toBeNull()
  })
}
