import type { DoorParts } from '../channel.ts'
import type { SlackClient } from './client.ts'
import type { SlackSettings } from './settings.ts'
import type { Directory } from './users.ts'

/** What the routes of Slack's door work with. */
export interface SlackParts extends Pick<DoorParts, 'receive' | 'database' | 'now' | 'randomBytes' | 'log'> {
  settings: SlackSettings
  client: SlackClient
  directory: Directory
}
