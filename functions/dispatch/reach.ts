import type { Senders } from '../../shared/channels/senders.ts'
import type { Target } from '../../shared/store/deliveries.ts'

/** Where a person is reached on the first of these channels that they are on; null: on none. */
export function reachOn(senders: Senders, channels: readonly string[], identities: readonly string[]): Target | null {
  for (const channel of channels) {
    const thread = senders.reach(channel, identities)
    if (thread !== null) return { channel, thread }
  }
  return null
}
