import type { DoorParts, Environment, Mailbox } from './channel.ts'
import { channels, settingsFor } from './registry.ts'

/** The mailboxes of this deployment's channels, each opened at its first tick. */
export interface Mailboxes {
  /** By their channel's names; empty: a tick has nothing to fetch. */
  names: readonly string[]
  of(channel: string): Promise<Mailbox>
}

export function openMailboxes(environment: Environment, parts: DoorParts): Mailboxes {
  const opened = new Map<string, Promise<Mailbox>>()
  const settings = settingsFor(environment, 'mailbox')
  // Of the others nothing is read: the function that ticks needs none of their secrets.
  const configured = channels.filter((channel) => channel.openMailbox !== undefined && channel.configured(environment))
  return {
    names: configured.map(({ name }) => name),
    of(name) {
      const known = opened.get(name)
      if (known !== undefined) return known
      const channel = configured.find((one) => one.name === name)
      const mailbox = channel?.openMailbox?.(settings.get(name) ?? environment, parts)
      if (mailbox === undefined) return Promise.reject(new Error(`channel ${name} has no mailbox`))
      opened.set(name, mailbox)
      // A start that failed is tried again at the next tick.
      mailbox.catch(() => opened.delete(name))
      return mailbox
    },
  }
}
