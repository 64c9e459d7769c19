import { createHmac, timingSafeEqual } from 'node:crypto'
import { Fault } from '../../errors/fault.ts'

/** Seconds that a call may be old, or ahead of our clock. */
const window = 300

/**
 * Checks that Slack signed these very bytes, and lately: `X-Slack-Signature` is `v0=` and the HMAC-SHA256 of
 * `v0:{timestamp}:{body}` in hexadecimal (docs.slack.dev, "Verifying requests from Slack").
 * @throws Fault `channel.forged`, `channel.replayed`
 */
export function checkSignature(call: { headers: Headers; body: Uint8Array }, secret: string, now: Date): void {
  const timestamp = call.headers.get('x-slack-request-timestamp') ?? ''
  const signature = call.headers.get('x-slack-signature') ?? ''
  if (!/^\d{1,12}$/.test(timestamp)) throw new Fault('channel.forged', 'slack: no timestamp')
  if (!/^v0=[0-9a-f]{64}$/.test(signature)) throw new Fault('channel.forged', 'slack: no signature of version v0')
  const expected = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(call.body).digest()
  if (!timingSafeEqual(expected, Buffer.from(signature.slice(3), 'hex'))) {
    throw new Fault('channel.forged', 'slack: the signature is of something else')
  }
  // A proof from the future would be good for longer than the window: it is refused, too.
  const age = now.getTime() / 1_000 - Number(timestamp)
  if (Math.abs(age) > window) throw new Fault('channel.replayed', `slack: signed ${Math.round(age)} s ago`)
}
