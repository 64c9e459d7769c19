import type { Environment, Sender, SenderParts } from './channel.ts'
import { configuredChannels } from './registry.ts'

/** The senders of this deployment's channels, each opened when the first answer goes there. */
export interface Senders {
  /** Names of the channels, in the order in which an answer that cannot be delivered falls back to them. */
  names: readonly string[]
  /** Null for a channel that this deployment does not have. */
  of(channel: string): Promise<Sender | null>
  close(): Promise<void>
}

export function openSenders(environment: Environment, parts: SenderParts): Senders {
  const opened = new Map<string, Promise<Sender>>()
  const configured = new Map(configuredChannels(environment).map((channel) => [channel.name, channel]))
  return {
    names: [...configured.keys()],
    async of(name) {
      const channel = configured.get(name)
      if (channel === undefined) return null
      const sender = opened.get(name) ?? channel.openSender(environment, parts)
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
