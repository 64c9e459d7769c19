const dayForm = /^(\d{4})-(\d{2})-(\d{2})/

/** Reads the calendar day of a ServiceNow date or date-time; null where it is none. */
export function readDay(text: string): string | null {
  const parts = dayForm.exec(text)
  if (parts === null) return null
  const day = parts[0]
  const date = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day) ? day : null
}

/** Whole months from a day (YYYY-MM-DD) to `now`, in UTC; a month counts once its day is reached. Never negative. */
export function monthsSince(day: string, now: Date): number {
  const from = new Date(`${day}T00:00:00Z`)
  const months = (now.getUTCFullYear() - from.getUTCFullYear()) * 12 + now.getUTCMonth() - from.getUTCMonth()
  // Bought on the 31st: in a month of 30 days the month is over with its last day.
  const lastDay = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 0)).getUTCDate()
  const reached = now.getUTCDate() >= Math.min(from.getUTCDate(), lastDay)
  return Math.max(0, reached ? months : months - 1)
}

/** "3 years and 2 months", "1 year", "5 months". */
export function ageText(months: number): string {
  const years = Math.floor(months / 12)
  const rest = months % 12
  const parts = [count(years, 'year'), count(rest, 'month')].filter((part) => part !== null)
  return parts.length === 0 ? '0 months' : parts.join(' and ')
}

function count(amount: number, unit: string): string | null {
  if (amount === 0) return null
  return `${amount} ${unit}${amount === 1 ? '' : 's'}`
}
