import { Fault } from '../../errors/fault.ts'
import type { Outgoing, Sender, SenderParts } from '../channel.ts'
import { pin, type Resolve, resolveBySystem } from './pin.ts'
import { type Answer, post } from './post.ts'
import { disableWebhook, findAnswer, findWebhook, type Webhook } from './rows.ts'
import type { WebhookSettings } from './settings.ts'
import { signedHeaders } from './sign.ts'
import { readTarget } from './target.ts'

/** Milliseconds for a try as a whole. */
const tryMs = 10_000
/** Seconds: a receiver that asks for a longer pause is tried again after this. */
const longestPause = 3_600
const passing = new Set([408, 425, 429])
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export interface WebhookParts extends Pick<SenderParts, 'database' | 'now' | 'log'> {
  resolve?: Resolve
  ca?: string
}

/** Pushes answers to the addresses that programs registered; the thread is the webhook's id. At least once each. */
export function openWebhookSender(settings: WebhookSettings, parts: WebhookParts): Sender {
  const { database, now, log, resolve = resolveBySystem, ca } = parts

  const send = async (outgoing: Outgoing, signal: AbortSignal): Promise<string> => {
    const webhook = await findActive(outgoing.thread)
    const answer = await findAnswer(database, outgoing.turn)
    if (answer === null) throw new Fault('delivery.refused', 'what it answers has been deleted')
    // The rules may have changed since it was registered.
    const { url, refusal } = readTarget(webhook.url, settings.rules)
    if (url === null) throw new Fault('delivery.refused', `webhook ${webhook.id}: ${refusal}`)
    const body = JSON.stringify({ delivery_id: outgoing.id, ...answer })
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(tryMs)])
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'self-service-agent',
      ...signedHeaders(settings.key, webhook, { id: outgoing.id, body, now: now() }),
    }
    const addresses = await inTime(pin(url, settings.rules, resolve), deadline)
    const answered = await postToOne(addresses, (address) =>
      post({ url, address, headers, body, signal: deadline, ca }),
    )
    await judge(answered, webhook)
    return outgoing.id
  }

  const findActive = async (id: string | null): Promise<Webhook> => {
    const webhook = id !== null && uuid.test(id) ? await findWebhook(database, id) : null
    if (webhook === null) throw new Fault('delivery.refused', 'the webhook was deleted')
    if (webhook.disabledAt !== null) throw new Fault('delivery.refused', `webhook ${webhook.id} was disabled`)
    return webhook
  }

  /** What a status means (Standard Webhooks 1.0.0, "Delivery success and failure"). */
  const judge = async ({ status, retryAfter }: Answer, { id }: Webhook): Promise<void> => {
    if (status >= 200 && status < 300) return
    const detail = `webhook ${id} answered ${status}`
    if (status === 410) {
      await disableWebhook(database, id, now())
      log.warn('a webhook wants no more and is disabled', { webhook: id })
      throw new Fault('delivery.refused', detail)
    }
    // Redirects are not followed: who moved registers anew.
    if (status < 500 && !passing.has(status)) throw new Fault('delivery.refused', detail)
    const pause = readRetryAfter(retryAfter, now())
    throw new Fault('delivery.unavailable', detail, pause === null ? {} : { retryAfter: pause })
  }

  return {
    capabilities: { buttons: false, threads: false, longest: 1_000_000, markup: 'plain' },
    send,
  }
}

/** The first address that takes a connection; what has been sent once is sent to no second one. */
async function postToOne(addresses: readonly string[], send: (address: string) => Promise<Answer>): Promise<Answer> {
  const [first = '', ...others] = addresses
  try {
    return await send(first)
  } catch (error) {
    if (others.length === 0 || !Fault.is(error) || error.code !== 'delivery.unavailable') throw error
    return await postToOne(others.slice(0, 2), send)
  }
}

/** A name server may be as slow as any other. */
async function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = Promise.withResolvers<never>()
  const end = () => over.reject(new Fault('delivery.unavailable', 'the name was not resolved in time'))
  signal.addEventListener('abort', end, { once: true })
  try {
    return await Promise.race([work, over.promise])
  } finally {
    signal.removeEventListener('abort', end)
  }
}

/** Seconds of a Retry-After, which is a number or a date (RFC 9110, 10.2.3); null where there is none that can be used. */
export function readRetryAfter(header: string | null, now: Date): number | null {
  if (header === null) return null
  const seconds = /^\d{1,9}$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now.getTime()) / 1_000
  return Number.isNaN(seconds) ? null : Math.min(Math.max(Math.ceil(seconds), 1), longestPause)
}
