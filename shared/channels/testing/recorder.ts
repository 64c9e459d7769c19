import { Fault } from '../../errors/fault.ts'
import type { Outgoing, Sender } from '../channel.ts'
import type { Senders } from '../senders.ts'

/** What a test channel does with the next sends, in their order; after them it delivers. */
export type Play = 'deliver' | 'unavailable' | 'refuse' | 'deliver, then lose the answer' | 'lose it'

/** A channel for tests of what every channel has in common: it remembers what it delivered. */
export interface Recorder {
  sender: Sender
  delivered: Outgoing[]
  /** Sends tried, delivered or not. */
  tries: number
  plays: Play[]
  /** Where somebody is reached there unasked. */
  reach(identities: readonly string[]): string | null
  /** Awaited before each send. */
  before: (outgoing: Outgoing) => Promise<void>
}

/** @param scheme of the identities that are reached there; `canFind`: it can be asked what it has. */
export function recorder(scheme: string, options: { canFind?: boolean } = {}): Recorder {
  const { canFind = true } = options
  const channel: Recorder = {
    delivered: [],
    tries: 0,
    plays: [],
    reach: (identities) => identities.find((one) => one.startsWith(`${scheme}:`))?.slice(scheme.length + 1) ?? null,
    before: async () => {},
    sender: {
      capabilities: { buttons: true, threads: true, longest: 4_000, markup: 'plain' },
      async send(outgoing) {
        channel.tries += 1
        await channel.before(outgoing)
        const play = channel.plays.shift() ?? 'deliver'
        if (play === 'unavailable') throw new Fault('delivery.unavailable', 'test', { retryAfter: 5 })
        if (play === 'refuse') throw new Fault('delivery.refused', 'test')
        if (play !== 'lose it') channel.delivered.push(outgoing)
        if (play === 'deliver, then lose the answer' || play === 'lose it') throw new Fault('delivery.unknown', 'test')
        return `sent-${channel.delivered.length}`
      },
    },
  }
  if (canFind) {
    channel.sender.find = async ({ id }) => {
      const at = channel.delivered.findIndex((outgoing) => outgoing.id === id)
      return at === -1 ? null : `sent-${at + 1}`
    }
  }
  return channel
}

/** These channels as a deployment has them. */
export function sendersOf(channels: Record<string, Recorder>): Senders {
  return {
    names: Object.keys(channels),
    reach: (name, identities) => channels[name]?.reach(identities) ?? null,
    of: async (name) => channels[name]?.sender ?? null,
    close: async () => {},
  }
}
