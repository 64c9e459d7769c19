import * as z from 'zod/mini'
import { Fault } from '../../../shared/errors/fault.ts'
import type { WebSettings } from './settings.ts'

/** What the issuer says of itself (OpenID Connect Discovery 1.0, section 3). */
export interface Provider {
  authorizationEndpoint: string
  tokenEndpoint: string
  /** True where its answers always name it (RFC 9207, section 3). */
  namesItself: boolean
}

const timeoutMs = 5_000
const keptMs = 600_000

const document = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  authorization_response_iss_parameter_supported: z.optional(z.boolean()),
})

const tokens = z.object({ id_token: z.string().check(z.maxLength(16_384)) })

export interface ProviderParts {
  settings: WebSettings
  fetch: typeof fetch
  now(): Date
}

/**
 * Reads the issuer's document when somebody first signs in, and keeps it for ten minutes.
 * @throws Fault `identity.issuer-unavailable` from what it gives
 */
export function openProvider({ settings, fetch, now }: ProviderParts): () => Promise<Provider> {
  let known: { provider: Provider; until: number } | undefined
  return async () => {
    if (known !== undefined && known.until > now().getTime()) return known.provider
    // Section 4.1: the path is appended to the issuer, whose own path stays.
    const url = `${settings.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    const found = document.safeParse(await callIssuer(fetch, url, { method: 'GET' }))
    if (!found.success) throw new Fault('identity.issuer-unavailable', "the issuer's document is not one")
    const { issuer, authorization_endpoint, token_endpoint, ...more } = found.data
    // Section 4.3: another issuer's document would send people to sign in at a stranger's.
    if (issuer !== settings.issuer) throw new Fault('identity.issuer-unavailable', 'the document is of another issuer')
    const provider = {
      authorizationEndpoint: authorization_endpoint,
      tokenEndpoint: token_endpoint,
      namesItself: more.authorization_response_iss_parameter_supported === true,
    }
    known = { provider, until: now().getTime() + keptMs }
    return provider
  }
}

/**
 * Changes a code for the identity token that it stands for (RFC 6749, section 4.1.3; RFC 7636, section 4.5).
 * @throws Fault `identity.invalid` where the issuer refuses it, `identity.issuer-unavailable`
 */
export async function redeemCode(
  { settings, fetch }: ProviderParts,
  { tokenEndpoint }: Provider,
  grant: { code: string; verifier: string; redirectUri: string },
): Promise<string> {
  const { clientId, clientSecret } = settings
  const body = new URLSearchParams({
    ...{ grant_type: 'authorization_code', code: grant.code, redirect_uri: grant.redirectUri },
    ...{ client_id: clientId, code_verifier: grant.verifier },
  })
  const answer = await callIssuer(fetch, tokenEndpoint, {
    method: 'POST',
    headers: clientSecret === null ? {} : { authorization: basic(clientId, clientSecret) },
    body,
  })
  const parsed = tokens.safeParse(answer)
  if (!parsed.success) throw new Fault('identity.invalid', 'the issuer gave no identity token')
  return parsed.data.id_token
}

/** RFC 6749, section 2.3.1: both parts are form-encoded first. */
function basic(id: string, secret: string): string {
  const encode = (text: string) => new URLSearchParams({ a: text }).toString().slice(2)
  return `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}`
}

async function callIssuer(fetch: ProviderParts['fetch'], url: string, init: RequestInit): Promise<unknown> {
  const unavailable = (detail: string, cause?: unknown) =>
    new Fault('identity.issuer-unavailable', detail, cause === undefined ? {} : { cause })
  let response: Response
  let text: string
  try {
    response = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) })
    text = await response.text()
  } catch (cause) {
    throw unavailable('the issuer cannot be reached', cause)
  }
  if (response.status >= 400 && response.status < 500 && init.method === 'POST') {
    throw new Fault('identity.invalid', `the issuer refused the code with ${response.status}`)
  }
  if (!response.ok) throw unavailable(`the issuer answered ${response.status}`)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw unavailable("the issuer's answer is not JSON", cause)
  }
}
