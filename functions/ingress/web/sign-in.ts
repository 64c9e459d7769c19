import { createHash } from 'node:crypto'
import { Fault } from '../../../shared/errors/fault.ts'
import { toFault } from '../../../shared/errors/to-fault.ts'
import type { Caller } from '../../../shared/identity/caller.ts'
import type { Log } from '../../../shared/telemetry/log.ts'
import { clearCookie, openCookie, readCookie, sealCookie } from './cookies.ts'
import { openProvider, redeemCode } from './provider.ts'
import { requireSameOrigin, sealSession } from './session.ts'
import type { WebSettings } from './settings.ts'

export interface SignInParts {
  settings: WebSettings
  fetch: typeof fetch
  now(): Date
  randomBytes(count: number): Uint8Array
  /** Who an identity token is about, once it was made for this page and this sign-in. */
  verify(idToken: string, expected: { audience: string; nonce: string }): Promise<Caller>
  log: Log
}

export interface SignIn {
  /** Sends the browser to the issuer. @throws Fault `identity.issuer-unavailable` */
  begin(request: Request): Promise<Response>
  /** Takes the browser back from there: to the page, signed in, or with a word that says why not. */
  finish(request: Request): Promise<Response>
  /** Ends the session of this browser. @throws Fault `identity.cross-site` */
  end(request: Request): Response
}

/** Why somebody is not signed in, as the page tells them. */
type Trouble = 'denied' | 'stale' | 'refused' | 'no-address' | 'unavailable'

/** Sign-in by OpenID Connect's code flow (Core 1.0, section 3.1) with PKCE (RFC 7636), state and nonce. */
export function createSignIn(parts: SignInParts): SignIn {
  const { settings, now, log } = parts
  const provider = openProvider(parts)
  const redirectUri = `${settings.origin}/sign-in/callback`
  /** 256 bits: a verifier of 43 characters (RFC 7636, section 4.1). */
  const secret = () => Buffer.from(parts.randomBytes(32)).toString('base64url')

  const back = (trouble: Trouble | null, session?: string, link?: string): Response => {
    const page = link === undefined ? '/' : `/link?token=${link}`
    const headers = new Headers({ location: trouble === null ? page : `/?sign-in=${trouble}` })
    headers.append('set-cookie', clearCookie('sign-in', settings))
    if (session !== undefined) headers.append('set-cookie', session)
    return new Response(null, { status: 303, headers })
  }

  return {
    async begin(request) {
      // On this machine by another of its names: the cookie has to be of the host that the issuer sends people back to.
      if (settings.loopback && new URL(request.url).host !== new URL(settings.origin).host) {
        const { search } = new URL(request.url)
        return new Response(null, { status: 302, headers: { location: `${settings.origin}/sign-in${search}` } })
      }
      const { authorizationEndpoint } = await provider()
      const [state, nonce, verifier] = [secret(), secret(), secret()]
      const url = new URL(authorizationEndpoint)
      const query = {
        ...{ response_type: 'code', client_id: settings.clientId, redirect_uri: redirectUri },
        ...{ scope: 'openid email profile', state, nonce, code_challenge_method: 'S256' },
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      }
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
      // Where to go on afterwards: a link's page and nowhere else, so that no address of a stranger's is ever gone to.
      const link = /^[\w-]{43}$/.exec(new URL(request.url).searchParams.get('link') ?? '')?.[0]
      const cookie = await sealCookie('sign-in', { state, nonce, verifier, ...(link && { link }) }, settings, now())
      return new Response(null, { status: 302, headers: { location: url.href, 'set-cookie': cookie } })
    },

    async finish(request) {
      const query = new URL(request.url).searchParams
      const sealed = readCookie('sign-in', request.headers, settings)
      const expected = sealed === null ? null : await openCookie('sign-in', sealed, settings, now())
      const { state, nonce, verifier } = expected ?? {}
      const link = typeof expected?.['link'] === 'string' ? expected['link'] : undefined
      if (typeof state !== 'string' || typeof nonce !== 'string' || typeof verifier !== 'string') return back('stale')
      // Another sign-in than the one that this browser began (RFC 6749, section 10.12).
      if (query.get('state') !== state) return back('stale')
      try {
        const found = await provider()
        const issuer = query.get('iss')
        // RFC 9207, section 2.4: an answer of another issuer is none.
        if (issuer === null ? found.namesItself : issuer !== settings.issuer) return back('refused')
        const code = query.get('code')
        if (code === null) return back(query.get('error') === 'access_denied' ? 'denied' : 'refused')
        const idToken = await redeemCode(parts, found, { code, verifier, redirectUri })
        const caller = await parts.verify(idToken, { audience: settings.clientId, nonce })
        if (caller.kind !== 'person' || caller.email === null) return back('no-address')
        log.info('signed in to the page', { caller: caller.subject })
        const session = await sealSession({ subject: caller.subject, email: caller.email }, settings, now())
        return back(null, session, link)
      } catch (error) {
        const fault = toFault(error)
        if (fault.code === 'stage.failed') throw error
        log.warn('a sign-in to the page failed', { code: fault.code, detail: fault.message })
        return back(fault.status >= 500 ? 'unavailable' : 'refused')
      }
    },

    end(request) {
      requireSameOrigin(request, settings)
      return new Response(null, { status: 204, headers: { 'set-cookie': clearCookie('session', settings) } })
    },
  }
}

/** Where this deployment has no page. */
export function noPage(): Fault {
  return new Fault('request.not-found', 'this deployment has no page: WEB_URL is not set')
}
