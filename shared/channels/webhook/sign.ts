import { createHmac } from 'node:crypto'

/** Milliseconds for which the secret before a rotation signs along. */
export const overlapMs = 24 * 3_600_000

/**
 * A webhook's secret as its receiver gets it: `whsec_` and the base64 of 32 bytes that follow from our key, the webhook's
 * id and the version (Standard Webhooks 1.0.0, "Signature scheme").
 */
export function secretOf(key: string, webhook: string, version: number): string {
  const bytes = createHmac('sha256', key).update(`self-service-agent/webhook/${webhook}/${version}`).digest('base64')
  return `whsec_${bytes}`
}

/** The signature of one delivery: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, `timestamp` in seconds. */
export function sign(secret: string, id: string, timestamp: number, body: string | Uint8Array): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`
}

/** The headers of a delivery, with both signatures for a day after a rotation, so that no receiver misses one. */
export function signedHeaders(
  key: string,
  webhook: { id: string; version: number; rotatedAt: Date | null },
  message: { id: string; body: string; now: Date },
): Record<string, string> {
  const { id, body, now } = message
  const timestamp = Math.floor(now.getTime() / 1_000)
  const along = webhook.rotatedAt !== null && now.getTime() - webhook.rotatedAt.getTime() < overlapMs
  const versions = [webhook.version, ...(along ? [webhook.version - 1] : [])]
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': versions
      .map((version) => sign(secretOf(key, webhook.id, version), id, timestamp, body))
      .join(' '),
  }
}
