import type { Channel, Environment } from './channel.ts'

/** Every channel that is pushed to, in the order in which an answer that cannot be delivered falls back to them. */
export const channels: readonly Channel[] = []

/** Those that this deployment has. */
export function configuredChannels(environment: Environment): Channel[] {
  return channels.filter((channel) => channel.configured(environment))
}
