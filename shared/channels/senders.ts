import type { Environment, Sender, SenderParts } from './channel.ts'
import { channels, configuredChannels, settingsFor } from './registry.ts'

/** The senders of this deployment's channels, each opened when the first answer goes there. */
export interface Senders {
  /** Names of the channels, in the order in which an answer that cannot be delivered falls back to them. */
  names: readonly string[]
  /** The thread in which a person with these identities is reached on a channel; null: not there. */
  reach(channel: string, identities: readonly string[]): string | null
  /** Null for a channel that this deployment does not have. */
  of(channel: string): Promise<Sender | null>
  close(): Promise<void>
}

export function openSenders(environment: Environment, parts: SenderParts): Senders {
  const opened = new Map<string, Promise<Sender>>()
  const settings = settingsFor(environment, 'sender')
  const sending = channels.filter(({ sends }) => sends !== false)
  const configured = new Map(configuredChannels(environment, sending).map((channel) => [channel.name, channel]))
  return {
    names: [...configured.keys()],
    reach: (name, identities) => configured.get(name)?.reach?.(identities) ?? null,
    async of(name) {
      const channel = configured.get(name)
      if (channel === undefined) return null
      const sender = opened.get(name) ?? channel.openSender(settings.get(name) ?? environment, parts)
      opened.set(name, sender)
      // A start that failed is tried again with the next answer.
      sender.catch(() => opened.delete(name))
      return await sender
    },
    async close() {
      const senders = await Promise.allSettled(opened.values())
      for (const sender of senders) if (sender.status === 'fulfilled') await sender.value.close?.()
    },
  }
}
