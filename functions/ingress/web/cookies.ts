import { EncryptJWT, errors, type JWTPayload, jwtDecrypt } from 'jose'
import type { WebSettings } from './settings.ts'

/** `session`: who is signed in. `sign-in`: what the answer of the issuer has to fit. */
export type CookieKind = 'session' | 'sign-in'

/** Seconds: a working day, and the time that signing in may take. */
export const lifetimes = { session: 8 * 3_600, 'sign-in': 600 } as const

/** On a host of its own by https the browser itself sees to it that no neighbour can plant the cookie (RFC 6265bis, 4.1.3.2). */
export function cookieName(kind: CookieKind, { loopback }: WebSettings): string {
  return loopback ? `self-service-agent-${kind}` : `__Host-${kind}`
}

/** Set-Cookie with claims that nobody but this function can read or change (RFC 7516): no server keeps a session. */
export async function sealCookie(
  kind: CookieKind,
  claims: JWTPayload,
  settings: WebSettings,
  now: Date,
): Promise<string> {
  const [key] = settings.keys
  if (key === undefined) throw new Error('there is no key to seal cookies with')
  const seconds = Math.floor(now.getTime() / 1_000)
  const value = await new EncryptJWT(claims)
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .setIssuer(settings.origin)
    // One kind is never taken for the other.
    .setAudience(kind)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + lifetimes[kind])
    .encrypt(key)
  return setCookie(kind, value, lifetimes[kind], settings)
}

export function clearCookie(kind: CookieKind, settings: WebSettings): string {
  return setCookie(kind, '', 0, settings)
}

/** Lax: the answer of the issuer comes as a navigation from its site, and has to bring the cookie. */
function setCookie(kind: CookieKind, value: string, seconds: number, settings: WebSettings): string {
  const secure = settings.loopback ? '' : '; Secure'
  return `${cookieName(kind, settings)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`
}

/** The cookie's text as the request brings it; null where it has none. */
export function readCookie(kind: CookieKind, headers: Headers, settings: WebSettings): string | null {
  const name = `${cookieName(kind, settings)}=`
  const found = (headers.get('cookie') ?? '').split(';').find((part) => part.trimStart().startsWith(name))
  return found === undefined ? null : found.trim().slice(name.length)
}

/** What was sealed; null for what is over, changed, of the other kind, or sealed with a key that is gone. */
export async function openCookie(
  kind: CookieKind,
  text: string,
  settings: WebSettings,
  now: Date,
): Promise<JWTPayload | null> {
  for (const key of settings.keys) {
    try {
      const { payload } = await jwtDecrypt(text, key, {
        issuer: settings.origin,
        audience: kind,
        currentDate: now,
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
        requiredClaims: ['exp'],
      })
      return payload
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error
    }
  }
  return null
}
