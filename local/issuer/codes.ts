import { createHash, randomBytes } from 'node:crypto'

/** What a code stands for. */
export interface Grant {
  client: string
  redirectUri: string
  nonce: string | null
  /** SHA-256 of the verifier, in base64url. */
  challenge: string
  email: string
}

export interface Codes {
  issue(grant: Grant): string
  /** What a code stood for, to whoever knows its verifier; null: it is refused. A code is looked at once. */
  redeem(code: string, by: { client: string; redirectUri: string; verifier: string }): Grant | null
}

/** Milliseconds: far below the ten minutes of RFC 6749, section 4.1.2. */
const lifetime = 60_000

export function createCodes(now: () => number): Codes {
  const codes = new Map<string, { grant: Grant; until: number }>()
  return {
    issue(grant) {
      for (const [code, { until }] of codes) if (until < now()) codes.delete(code)
      const code = randomBytes(32).toString('base64url')
      codes.set(code, { grant, until: now() + lifetime })
      return code
    },
    redeem(code, { client, redirectUri, verifier }) {
      const found = codes.get(code)
      // RFC 6749, section 4.1.2: not more than once, and that goes for a try that fails, too.
      codes.delete(code)
      if (found === undefined || found.until < now()) return null
      const { grant } = found
      // RFC 6749, section 4.1.3: by the client and with the redirect URI that it was issued for.
      if (grant.client !== client || grant.redirectUri !== redirectUri) return null
      // RFC 7636, sections 4.1 and 4.6.
      if (!/^[A-Za-z0-9._~-]{43,128}$/.test(verifier)) return null
      return createHash('sha256').update(verifier).digest('base64url') === grant.challenge ? grant : null
    },
  }
}
