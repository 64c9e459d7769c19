import { createHash } from 'node:crypto'

const form = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** True for a W3C traceparent of version 00 with non-zero ids (Trace Context, section 3.2). */
export function isTraceparent(value: string): boolean {
  const parts = form.exec(value)
  return parts !== null && !/^0+$/.test(parts[1] ?? '') && !/^0+$/.test(parts[2] ?? '')
}

/** The traceparent of something that nobody traces yet. */
export function beginTrace(randomBytes: (count: number) => Uint8Array): string {
  const hex = Buffer.from(randomBytes(24)).toString('hex')
  return `00-${hex.slice(0, 32)}-${hex.slice(32)}-01`
}

/**
 * The traceparent of the next event in a chain: the same trace, and a span id that follows from the cause, so that a
 * redelivered event carries the same bytes. A missing or broken parent starts a trace that follows from the cause.
 */
export function nextTraceparent(parent: string, ...cause: string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(cause)).digest('hex')
  const known = isTraceparent(parent) ? form.exec(parent) : null
  const trace = known?.[1] ?? hash.slice(16, 48)
  return `00-${trace}-${hash.slice(0, 16)}-${known?.[3] ?? '01'}`
}
