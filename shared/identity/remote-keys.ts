import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { Fault } from '../errors/fault.ts'

/** Milliseconds for which fetched keys are good without another look. */
const freshMs = 600_000
/** Milliseconds for which they go on where the issuer cannot be asked: a key it took back meanwhile is taken that long. */
const staleMs = 3_600_000
/** Milliseconds between two looks that an unknown key or an outage cause. */
const coolDownMs = 30_000
const timeoutMs = 3_000

interface Fetched {
  find: JWTVerifyGetKey
  at: number
}

/**
 * The keys of an issuer by its address, fetched on first use. A key that is not among them is looked for once more, as
 * it may be new, but not more often than every 30 s: whoever writes unknown key ids into tokens makes us ask no more.
 * @throws Fault `identity.keys-unavailable` from what it gives, where there are no keys that could say
 */
export function openRemoteKeys(url: URL, parts: { now: () => Date; fetch?: typeof fetch }): JWTVerifyGetKey {
  let known: Fetched | null = null
  let tried = Number.NEGATIVE_INFINITY
  let reachable = true
  let fetching: Promise<void> | null = null
  const time = () => parts.now().getTime()

  /** One look, which all who wait share. */
  const look = async (): Promise<void> => {
    fetching ??= fetchKeys(url, parts.fetch ?? fetch)
      .then((find) => {
        known = { find, at: time() }
        reachable = true
      })
      .catch((cause: unknown) => {
        reachable = false
        if (known === null || time() - known.at >= staleMs) throw unavailable(cause)
      })
      .finally(() => {
        tried = time()
        fetching = null
      })
    await fetching
  }
  const current = async (): Promise<Fetched> => {
    const age = known === null ? Number.POSITIVE_INFINITY : time() - known.at
    // Without any that could still be used every call asks: there is nothing else to do for it.
    if (age >= freshMs && (age >= staleMs || time() - tried >= coolDownMs)) await look()
    if (known === null) throw unavailable(undefined)
    return known
  }

  return async (header, token) => {
    const { find } = await current()
    try {
      return await find(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      if (time() - tried >= coolDownMs) await look()
      // It may be one that the issuer has made since: not the token's fault before the issuer has said so.
      if (!reachable) throw unavailable(error)
      return await (await current()).find(header, token)
    }
  }
}

async function fetchKeys(url: URL, fetch: typeof globalThis.fetch): Promise<JWTVerifyGetKey> {
  const response = await fetch(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  })
  if (response.status !== 200) throw new Error(`the key set was answered with ${response.status}`)
  const find = createLocalJWKSet((await response.json()) as JSONWebKeySet)
  return (header, token) => find(header, token)
}

function unavailable(cause: unknown): Fault {
  return new Fault('identity.keys-unavailable', "the issuer's keys cannot be fetched", { cause, retryAfter: 5 })
}
