import { type Environment, required } from '../../../shared/settings/environment.ts'

export interface WebSettings {
  /** Where people open the page: scheme, host and port. */
  origin: string
  /** Plain http on this machine alone: its cookies can be neither Secure nor of the __Host- kind. */
  loopback: boolean
  /** Keys of the cookies, 32 bytes each: the first seals, all of them open. */
  keys: readonly Uint8Array[]
  issuer: string
  clientId: string
  /** Null for a public client. */
  clientSecret: string | null
  /** Folder of the built page. */
  folder: string
}

/**
 * Reads WEB_URL, WEB_SESSION_KEY, WEB_CLIENT_ID, WEB_CLIENT_SECRET and WEB_DIR; null where WEB_URL is not set: this
 * deployment has no page.
 * @throws Error whose one sentence names the setting at fault.
 */
export function readWebSettings(environment: Environment, issuer: string): WebSettings | null {
  const { WEB_URL, WEB_SESSION_KEY, WEB_CLIENT_ID, WEB_CLIENT_SECRET, WEB_DIR } = environment
  if (!WEB_URL) return null
  const needed = { WEB_SESSION_KEY, WEB_CLIENT_ID }
  const url = URL.parse(WEB_URL)
  const loopback = url?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)
  if (url === null || !(loopback || url.protocol === 'https:') || url.href !== `${url.origin}/`) {
    throw new Error(`WEB_URL is "${WEB_URL}": it takes https://HOST without a path, or http:// on this machine.`)
  }
  return {
    ...{ origin: url.origin, loopback, issuer },
    keys: readKeys(
      required(needed, 'WEB_SESSION_KEY', 'the key of the sessions, as `openssl rand -base64 32` makes it'),
    ),
    clientId: required(needed, 'WEB_CLIENT_ID', "the page's name at the issuer"),
    clientSecret: WEB_CLIENT_SECRET || null,
    folder: WEB_DIR || 'build/web',
  }
}

/** A new key is put in front of the old one, which goes when the sessions that it sealed are over. */
function readKeys(text: string): Uint8Array[] {
  return text.split(',').map((one) => {
    const key = Buffer.from(one.trim(), 'base64')
    if (key.byteLength === 32) return key
    throw new Error('WEB_SESSION_KEY takes 32 bytes in base64, or several such keys with commas between them.')
  })
}
