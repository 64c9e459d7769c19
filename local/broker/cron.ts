/** When a PingSource is due: every so many milliseconds, or at the minutes that five fields name, in UTC. */
export type Schedule =
  | { kind: 'every'; milliseconds: number }
  | {
      kind: 'cron'
      minutes: Set<number>
      hours: Set<number>
      days: Set<number>
      months: Set<number>
      weekdays: Set<number>
      eitherDay: boolean
    }

const ranges = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const

/** Reads `@every 30s` (h, m, s) or five fields of `*`, `*` with a step, numbers and lists; null for anything else. */
export function parseSchedule(text: string): Schedule | null {
  const every = /^@every (?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text)
  if (every !== null) {
    const [hours, minutes, seconds] = every.slice(1).map((part) => Number(part ?? '0'))
    const milliseconds = (((hours ?? 0) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000
    return milliseconds === 0 ? null : { kind: 'every', milliseconds }
  }
  const fields = text.trim().split(/\s+/)
  if (fields.length !== ranges.length) return null
  const sets = fields.map((field, index) => parseField(field, ranges[index] ?? [0, 0]))
  const [minutes, hours, days, months, weekdays] = sets
  if (!minutes || !hours || !days || !months || !weekdays) return null
  if (weekdays.has(7)) weekdays.add(0)
  // Cron's old rule: with both days restricted, either one is enough.
  const eitherDay = fields[2] !== '*' && fields[4] !== '*'
  return { kind: 'cron', minutes, hours, days, months, weekdays, eitherDay }
}

function parseField(field: string, [low, high]: readonly [number, number]): Set<number> | null {
  const values = new Set<number>()
  for (const part of field.split(',')) {
    const step = /^\*(?:\/(\d{1,2}))?$/.exec(part)
    if (step !== null) {
      const by = Number(step[1] ?? '1')
      if (by === 0) return null
      for (let value = low; value <= high; value += by) values.add(value)
    } else if (/^\d{1,2}$/.test(part) && Number(part) >= low && Number(part) <= high) {
      values.add(Number(part))
    } else {
      return null
    }
  }
  return values
}

/** The first moment after `after` at which the schedule is due, or null if none comes within five years. */
export function nextTick(schedule: Schedule, after: Date): Date | null {
  if (schedule.kind === 'every') return new Date(after.getTime() + schedule.milliseconds)
  const at = new Date(after)
  at.setUTCSeconds(0, 0)
  at.setUTCMinutes(at.getUTCMinutes() + 1)
  const limit = after.getTime() + 5 * 366 * 86_400_000
  while (at.getTime() < limit) {
    if (!schedule.months.has(at.getUTCMonth() + 1)) {
      at.setUTCMonth(at.getUTCMonth() + 1, 1)
      at.setUTCHours(0, 0)
    } else if (!isDay(schedule, at)) {
      at.setUTCDate(at.getUTCDate() + 1)
      at.setUTCHours(0, 0)
    } else if (!schedule.hours.has(at.getUTCHours())) {
      at.setUTCHours(at.getUTCHours() + 1, 0)
    } else if (!schedule.minutes.has(at.getUTCMinutes())) {
      at.setUTCMinutes(at.getUTCMinutes() + 1)
    } else {
      return at
    }
  }
  return null
}

function isDay(schedule: Extract<Schedule, { kind: 'cron' }>, at: Date): boolean {
  const day = schedule.days.has(at.getUTCDate())
  const weekday = schedule.weekdays.has(at.getUTCDay())
  return schedule.eitherDay ? day || weekday : day && weekday
}
