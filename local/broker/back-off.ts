import type { DeliverySpec } from './model.ts'

/** Which broker is imitated: the channel-based one (class MTChannelBasedBroker) or Kafka's. */
export type Mode = 'channel' | 'kafka'

/**
 * Milliseconds to wait before retry `retry` (0 for the first one) of a delivery. Both brokers double the delay
 * (exponential) or multiply it (linear); the channel broker's first multiplier is n = 0, Kafka's is n = 1. The
 * specification calls linear constant; neither does that. Without a policy or a delay the channel broker retries at
 * once and Kafka takes one second, exponential.
 */
export function backOff(
  spec: Pick<DeliverySpec, 'backoffPolicy' | 'backoffDelayMs'>,
  retry: number,
  mode: Mode,
): number {
  if (mode === 'channel' && (spec.backoffPolicy === undefined || spec.backoffDelayMs === undefined)) return 0
  const delay = spec.backoffDelayMs ?? 1000
  const n = mode === 'channel' ? retry : retry + 1
  return spec.backoffPolicy === 'linear' ? delay * n : delay * 2 ** n
}

/** Milliseconds from the first attempt's failure to the last attempt's start, with instant answers. */
export function retrySpan(spec: Pick<DeliverySpec, 'backoffPolicy' | 'backoffDelayMs' | 'retry'>, mode: Mode): number {
  let sum = 0
  for (let retry = 0; retry < spec.retry; retry++) sum += backOff(spec, retry, mode)
  return sum
}
