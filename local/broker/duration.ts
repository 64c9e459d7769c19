const pattern = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d+)?)S)?)?$/

/**
 * Milliseconds of an ISO 8601 duration in days, hours, minutes and seconds (`PT0.2S`, `P1DT2H`), or null where the text
 * is none. Years, months and weeks are not taken: no delivery waits that long.
 */
export function parseDuration(text: string): number | null {
  const match = pattern.exec(text)
  if (match === null || text === 'P' || text.endsWith('T')) return null
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number((part ?? '0').replace(',', '.')))
  if (days === undefined || hours === undefined || minutes === undefined || seconds === undefined) return null
  return Math.round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)
}
