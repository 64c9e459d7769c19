import { Fault } from '../../errors/fault.ts'
import type { Door, DoorParts, Environment } from '../channel.ts'
import { openClient } from './client.ts'
import { readSlackSettings } from './settings.ts'
import { checkSignature } from './signature.ts'
import { takeCommand } from './take-command.ts'
import { takeEvent } from './take-event.ts'
import { takePress } from './take-press.ts'
import { createDirectory } from './users.ts'

/** Milliseconds for all that a call asks of Slack: within its three seconds, with room for a start and for Postgres. */
const patience = 2_000

const takers = {
  '/channels/slack/events': takeEvent,
  '/channels/slack/interactions': takePress,
  '/channels/slack/commands': takeCommand,
}

/** Opens the door that Slack calls: nothing of a call is read before its signature was found good. */
export async function openSlackDoor(environment: Environment, parts: DoorParts): Promise<Door> {
  const settings = readSlackSettings(environment)
  const client = openClient(settings, parts.fetch)
  const directory = createDirectory({ ...parts, client, settings })
  const slack = { ...parts, settings, client, directory }
  return {
    async answer({ path, headers, body }) {
      checkSignature({ headers, body }, settings.signingSecret, parts.now())
      const take = Object.entries(takers).find(([known]) => known === path)?.[1]
      if (take === undefined) throw new Fault('request.not-found', 'slack: no such route')
      return await take(slack, body, AbortSignal.timeout(patience))
    },
  }
}
