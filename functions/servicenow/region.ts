export const regions = ['NA', 'EMEA', 'APAC', 'LATAM'] as const
export type Region = (typeof regions)[number]

/** Offices whose location names a city instead of a region. */
const offices: Record<string, Region> = {
  'san francisco': 'NA',
  'new york': 'NA',
  london: 'EMEA',
  berlin: 'EMEA',
  tokyo: 'APAC',
  sydney: 'APAC',
  singapore: 'APAC',
  'são paulo': 'LATAM',
  'mexico city': 'LATAM',
}

/** The sales region of a location name such as `EMEA` or `Tokyo Office`; null where it tells none (`Remote`). */
export function regionOf(location: string): Region | null {
  const name = location.normalize('NFC').trim().toLowerCase()
  const city = name.replace(/\s+office$/, '')
  return (
    regions.find((region) => region.toLowerCase() === name) ??
    (Object.hasOwn(offices, city) ? offices[city] : null) ??
    null
  )
}
