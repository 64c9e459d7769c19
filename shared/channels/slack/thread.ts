/** Where something stands on Slack. As the core knows it, it is one text: `team/channel` or `team/channel/ts`. */
export interface Place {
  team: string
  /** Id of a conversation, or of a user, who is reached in their direct messages. */
  channel: string
  /** `ts` of the message at the head of a thread; null: the conversation itself. */
  thread: string | null
}

export function writePlace({ team, channel, thread }: Place): string {
  return thread === null ? `${team}/${channel}` : `${team}/${channel}/${thread}`
}

/** Null for a text that names no place. */
export function readPlace(text: string | null): Place | null {
  const match = /^([TE][A-Z0-9]+)\/([CDGUW][A-Z0-9]+)(?:\/(\d+\.\d+))?$/.exec(text ?? '')
  if (match === null) return null
  const [, team = '', channel = '', thread = null] = match
  return { team, channel, thread }
}

/** An account on Slack, as identities name it. */
export function writeIdentity(team: string, user: string): string {
  return `slack:${team}/${user}`
}
