import type { Channel, DoorRoute } from '../channel.ts'
import { readPlace } from './thread.ts'

const sender = ['SLACK_BOT_TOKEN', 'SLACK_API_URL'] as const
const door = ['SLACK_SIGNING_SECRET', 'SLACK_SLASH_COMMAND', 'SLACK_TEAMS', 'SLACK_GUESTS', 'WEB_URL'] as const
const proof = { header: 'X-Slack-Signature', meaning: "Slack's signature of the body, at most five minutes old" }
const route = (name: string, summary: string): DoorRoute => ({
  ...{ method: 'POST', path: `/channels/slack/${name}`, proof, summary },
})

/** Slack: direct messages, mentions and threads, a slash command, buttons. See docs/channels/slack.md. */
export const slack: Channel = {
  name: 'slack',
  configured: ({ SLACK_BOT_TOKEN }) => Boolean(SLACK_BOT_TOKEN),
  reads: { sender, door: [...sender, ...door] },
  routes: [
    route('events', "Slack's Events API: messages and mentions"),
    route('interactions', 'Presses on buttons in Slack'),
    route('commands', 'The slash command of Slack'),
  ],
  reach(identities) {
    const own = identities.find((identity) => identity.startsWith('slack:'))?.slice('slack:'.length) ?? null
    return readPlace(own) === null ? null : own
  },
  async openDoor(environment, parts) {
    const { openSlackDoor } = await import('./door.ts')
    return await openSlackDoor(environment, parts)
  },
  async openSender(environment, parts) {
    const { openSlackSender } = await import('./sender.ts')
    return await openSlackSender(environment, parts)
  },
}
