/** How long a caller waits for the answer, and the preference that the response says was honoured. */
export interface Waiting {
  ms: number
  applied: string | null
}

/**
 * Reads the Prefer header (RFC 7240): `wait=N` seconds up to `longestMs`, `respond-async` for not waiting at all; both
 * together wait for N seconds. What cannot be read is ignored, as the RFC asks.
 */
export function readPrefer(header: string | null, byDefaultMs: number, longestMs: number): Waiting {
  const preferences = new Map<string, string>()
  for (const part of (header ?? '').split(',')) {
    const [name = '', value = ''] = (part.split(';')[0] ?? '').split('=')
    const key = name.trim().toLowerCase()
    // The first of several spellings of one preference counts (section 2).
    if (!preferences.has(key)) preferences.set(key, value.trim().replace(/^"(.*)"$/, '$1'))
  }
  const wait = preferences.get('wait') ?? ''
  if (/^\d{1,9}$/.test(wait)) {
    const ms = Math.min(Number(wait) * 1_000, longestMs)
    return { ms, applied: `wait=${ms / 1_000}` }
  }
  if (preferences.has('respond-async')) return { ms: 0, applied: 'respond-async' }
  return { ms: byDefaultMs, applied: null }
}
