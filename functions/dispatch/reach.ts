import type { Senders } from '../../shared/channels/senders.ts'
import type { Target } from '../../shared/store/deliveries.ts'

/** Where a person is reached on the first of these channels that they are on; null: on none. */
export async function reachOn(
  senders: Senders,
  channels: readonly string[],
  who: { identities: readonly string[] },
): Promise<Target | null> {
  for (const channel of channels) {
    const thread = (await senders.of(channel))?.reach(who.identities) ?? null
    if (thread !== null) return { channel, thread }
  }
  return null
}
