import type { PostedMessage } from './check-message.ts'

/** An account, in the fields of docs.slack.dev/reference/objects/user-object that matter here. */
export interface SlackUser {
  id: string
  team_id: string
  deleted?: boolean
  is_bot?: boolean
  is_restricted?: boolean
  is_ultra_restricted?: boolean
  is_stranger?: boolean
  is_email_confirmed?: boolean
  profile: { email?: string }
}

export interface SlackPost extends PostedMessage {
  channel: string
  ts: string
  thread_ts: string | null
  user: string
  bot_id: string | null
  /** Who alone sees it; null: everybody in the channel. */
  to: string | null
}

/** How the workspace answers the next calls of chat.postMessage, in their order; then it takes them. */
export type Play = 'rate-limited' | 'archived' | 'lost' | 'hung-up' | 'broken' | 'taken'

/** A workspace in memory: its people, its channels, what was posted. */
export interface Workspace {
  team: string
  bot: { user: string; id: string; token: string }
  users: Map<string, SlackUser>
  /** Channels with the bot in them, or archived ones. */
  channels: Map<string, { archived: boolean; member: boolean }>
  posts: SlackPost[]
  plays: Play[]
  /** Methods called so far, and what the last one was given. */
  calls: string[]
  given: Record<string, string>
  /** Takes calls and answers none. */
  silent: boolean
  /** Scopes that the token has. */
  scopes: Set<string>
  /** A timestamp that no message has yet: seconds, and a number that makes it unique. */
  nextTs(): string
  /** Direct messages with somebody. */
  directOf(user: string): string
  say(user: string, channel: string, text: string, thread_ts?: string): SlackPost
}

export const allScopes = [
  ...['app_mentions:read', 'channels:history', 'chat:write', 'commands', 'groups:history', 'im:history', 'im:write'],
  ...['mpim:history', 'users:read', 'users:read.email'],
]

export function createWorkspace(now: () => Date, token = 'xoxb-local'): Workspace {
  let count = 0
  const workspace: Workspace = {
    team: 'T0LOCAL',
    bot: { user: 'U0AGENT', id: 'B0AGENT', token },
    users: new Map(),
    channels: new Map([['C0HELP', { archived: false, member: true }]]),
    posts: [],
    plays: [],
    calls: [],
    given: {},
    silent: false,
    scopes: new Set(allScopes),
    nextTs() {
      count += 1
      return `${Math.floor(now().getTime() / 1_000)}.${String(count).padStart(6, '0')}`
    },
    directOf: (user) => `D${user.slice(1)}`,
    say(user, channel, text, thread_ts) {
      const post: SlackPost = {
        ...{ channel, user, text, ts: workspace.nextTs(), thread_ts: thread_ts ?? null },
        ...{ bot_id: null, blocks: [], metadata: null, to: null },
      }
      workspace.posts.push(post)
      return post
    },
  }
  return workspace
}

/** A member with a confirmed address. */
export function addMember(workspace: Workspace, id: string, email: string, more: Partial<SlackUser> = {}): SlackUser {
  const user = { id, team_id: workspace.team, is_email_confirmed: true, profile: { email }, ...more }
  workspace.users.set(id, user)
  return user
}
