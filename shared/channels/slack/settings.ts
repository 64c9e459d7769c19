import type { Environment } from '../channel.ts'

/** What both parts of the channel need: how the Web API is called. */
export interface SlackAccess {
  botToken: string
  /** Of the Web API, with a slash at its end; null: Slack's own. */
  apiUrl: string | null
}

/** What the door needs beside it. */
export interface SlackSettings extends SlackAccess {
  signingSecret: string
  /** The slash command, as people type it. */
  command: string
  /** Ids of the workspaces and organisations whose members are believed; empty: the bot token's own. */
  teams: readonly string[]
  /** Whether guests of a workspace are served like its members. */
  guests: boolean
  /** The page on which people sign in; null: this deployment has none. */
  page: string | null
}

/**
 * Reads SLACK_BOT_TOKEN and SLACK_API_URL.
 * @throws Error whose one sentence says what to set
 */
export function readSlackAccess({ SLACK_BOT_TOKEN, SLACK_API_URL }: Environment): SlackAccess {
  if (!SLACK_BOT_TOKEN) throw new Error("SLACK_BOT_TOKEN is not set: it is the token of the app's bot, xoxb-….")
  if (SLACK_API_URL && !/^https?:$/.test(URL.parse(SLACK_API_URL)?.protocol ?? '')) {
    throw new Error('SLACK_API_URL is no http or https address.')
  }
  return { botToken: SLACK_BOT_TOKEN, apiUrl: SLACK_API_URL ? SLACK_API_URL.replace(/\/*$/, '/') : null }
}

/**
 * Reads SLACK_SIGNING_SECRET, SLACK_SLASH_COMMAND, SLACK_TEAMS, SLACK_GUESTS and WEB_URL, and those of readSlackAccess.
 * @throws Error whose one sentence says what to set
 */
export function readSlackSettings(environment: Environment): SlackSettings {
  const { SLACK_SIGNING_SECRET, SLACK_SLASH_COMMAND, SLACK_TEAMS, SLACK_GUESTS, WEB_URL } = environment
  if (!SLACK_SIGNING_SECRET) throw new Error('SLACK_SIGNING_SECRET is not set: no call of Slack can be believed.')
  const command = SLACK_SLASH_COMMAND || '/agent'
  if (!/^\/[a-z0-9_-]{1,31}$/.test(command)) throw new Error('SLACK_SLASH_COMMAND is no command such as /agent.')
  const teams = (SLACK_TEAMS ?? '').split(',').flatMap((team) => team.trim() || [])
  const strange = teams.find((team) => !/^[TE][A-Z0-9]+$/.test(team))
  if (strange !== undefined) throw new Error(`SLACK_TEAMS names "${strange}": it takes ids such as T0123ABCD.`)
  if (SLACK_GUESTS && !['true', 'false'].includes(SLACK_GUESTS)) {
    throw new Error(`SLACK_GUESTS is "${SLACK_GUESTS}": it takes true or false.`)
  }
  return {
    ...readSlackAccess(environment),
    ...{ signingSecret: SLACK_SIGNING_SECRET, command, teams, guests: SLACK_GUESTS === 'true' },
    page: WEB_URL || null,
  }
}
