const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export const durationPattern = /^[1-9][0-9]{0,6}(ms|s|m|h|d)$/

/** The milliseconds of `500ms`, `15s`, `2m`, `24h` or `7d`; the text has passed `durationPattern`. */
export function readDuration(text: string): number {
  const unit = units[text.replace(/^\d+/, '')]
  if (unit === undefined) throw new TypeError(`${text} is no duration`)
  return Number.parseInt(text, 10) * unit
}
