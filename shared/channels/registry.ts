import type { Channel, Environment } from './channel.ts'
import { email } from './email/channel.ts'
import { events } from './events/channel.ts'
import { slack } from './slack/channel.ts'
import { webhook } from './webhook/channel.ts'

/** Every channel that is pushed to, in the order in which an answer that cannot be delivered falls back to them. */
export const channels: readonly Channel[] = [slack, email, webhook, events]

/** Those that this deployment has. */
export function configuredChannels(environment: Environment, among = channels): Channel[] {
  return among.filter((channel) => channel.configured(environment))
}

/**
 * What one part of each channel sees of the environment, by the channel's name. It is read at a function's start, which
 * channels are configured or not: what a func.yaml has to set does not depend on the deployment.
 */
export function settingsFor(
  environment: Environment,
  part: keyof NonNullable<Channel['reads']>,
): Map<string, Environment> {
  return new Map(
    channels.map(({ name, reads }) => {
      const names = reads?.[part]
      return [name, names === undefined ? environment : Object.fromEntries(names.map((key) => [key, environment[key]]))]
    }),
  )
}
