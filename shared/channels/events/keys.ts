import { createHash, timingSafeEqual } from 'node:crypto'
import * as z from 'zod/mini'
import { Fault } from '../../errors/fault.ts'
import type { DoorCall } from '../channel.ts'
import { sign } from '../webhook/sign.ts'

/** How a source proves itself; several of a kind while one follows another. */
interface SourceKeys {
  /** SHA-256 of bearer tokens, in hex. */
  tokens: string[]
  /** Secrets of signatures (Standard Webhooks 1.0.0). */
  secrets: string[]
}

export type Keys = ReadonlyMap<string, SourceKeys>

/** Seconds that a signature's time may be off, in both directions. */
const windowSeconds = 300

const shape = z.record(
  z.string(),
  z.strictObject({
    tokens: z._default(z.array(z.string().check(z.regex(/^[0-9a-f]{64}$/))), []),
    secrets: z._default(z.array(z.string().check(z.regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/))), []),
  }),
)

/** @throws Error whose one sentence says what EVENT_KEYS has to be, and no value of it */
export function readKeys(text: string): Keys {
  try {
    return new Map(Object.entries(shape.parse(JSON.parse(text))))
  } catch {
    const form = '{"<source>": {"tokens": ["<SHA-256 in hex>"], "secrets": ["whsec_<base64>"]}}'
    throw new Error(`EVENT_KEYS is not of the form ${form}.`)
  }
}

/**
 * Proves that a call comes from this source: by a bearer token, or by a signature over the body and its time. What a
 * signature does not cover counts for nothing, so a signed event comes in structured mode.
 * @throws Fault `channel.forged`, `channel.replayed`
 */
export function proveSource(
  call: DoorCall,
  keys: SourceKeys | undefined,
  options: { now: Date; tokenInUrl: boolean },
): void {
  const unproven = new Fault('channel.forged', 'there is no such source, or this is not its key')
  const signature = call.headers.get('webhook-signature')
  if (signature === null) {
    const token = readToken(call, options.tokenInUrl)
    if (token !== null && keys !== undefined && hasToken(keys, token)) return
    throw unproven
  }
  const id = call.headers.get('webhook-id') ?? ''
  const timestamp = call.headers.get('webhook-timestamp') ?? ''
  if (keys === undefined || !/^\d{1,12}$/.test(timestamp)) throw unproven
  const given = signature.split(' ').slice(0, 10)
  const matches = keys.secrets.some((secret) => {
    const expected = sign(secret, id, Number(timestamp), call.body)
    return given.some((one) => isSame(one, expected))
  })
  if (!matches) throw unproven
  if (Math.abs(options.now.getTime() / 1_000 - Number(timestamp)) > windowSeconds) {
    throw new Fault('channel.replayed', `webhook-timestamp is more than ${windowSeconds} seconds off`)
  }
  if (!/^application\/cloudevents\+json\s*(?:;|$)/i.test(call.headers.get('content-type') ?? '')) {
    throw new Fault('channel.forged', 'a signature covers the body alone: send the event in structured mode')
  }
}

function readToken(call: DoorCall, inUrl: boolean): string | null {
  const header = call.headers.get('authorization')
  if (header !== null) return /^bearer +(\S{1,4096})$/i.exec(header)?.[1] ?? null
  return inUrl ? call.query.get('access_token') : null
}

function hasToken({ tokens }: SourceKeys, token: string): boolean {
  const hash = createHash('sha256').update(token).digest('hex')
  return tokens.some((known) => isSame(known, hash))
}

function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)]
  return one.byteLength === other.byteLength && timingSafeEqual(one, other)
}
