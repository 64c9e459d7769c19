import { Fault } from '../../../shared/errors/fault.ts'
import type { Caller } from '../../../shared/identity/caller.ts'
import { openCookie, readCookie, sealCookie } from './cookies.ts'
import type { WebSettings } from './settings.ts'

/**
 * The person of the session cookie; null where there is no cookie. It gives no scope: whatever the issuer lets this
 * person do elsewhere, the page acts for them alone.
 * @throws Fault `identity.cross-site` for a change that no page of ours asks for, `identity.invalid` for a cookie that
 *   is over or not ours
 */
export async function readSession(request: Request, settings: WebSettings, now: Date): Promise<Caller | null> {
  const text = readCookie('session', request.headers, settings)
  if (text === null) return null
  if (request.method !== 'GET' && request.method !== 'HEAD') requireSameOrigin(request, settings)
  const claims = await openCookie('session', text, settings, now)
  const { sub, email } = claims ?? {}
  if (typeof sub !== 'string' || typeof email !== 'string') {
    throw new Fault('identity.invalid', 'the session is over: sign in again')
  }
  return { subject: sub, email, scopes: [], kind: 'person' }
}

export async function sealSession(
  caller: { subject: string; email: string },
  settings: WebSettings,
  now: Date,
): Promise<string> {
  return await sealCookie('session', { sub: caller.subject, email: caller.email }, settings, now)
}

/**
 * A cookie goes along with whatever page makes the browser send, so a change needs two things that another site's page
 * cannot have: our own Origin, and a header that no form can set.
 * @throws Fault `identity.cross-site`
 */
export function requireSameOrigin({ headers }: Request, { origin }: WebSettings): void {
  if (headers.get('origin') === origin && headers.has('x-requested-with')) return
  throw new Fault('identity.cross-site', `with a cookie this needs X-Requested-With, and ${origin} as the Origin`)
}
