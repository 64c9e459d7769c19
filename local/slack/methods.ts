import { type Block, type PostedMessage, refusalOf } from './check-message.ts'
import type { SlackPost, Workspace } from './workspace.ts'

/** A refusal of the Web API: `ok` is false, and this is why. */
class Refused extends Error {}

type Arguments = Record<string, string>
type Method = (workspace: Workspace, given: Arguments) => Record<string, unknown>

/** Scopes that each method takes, one of them (docs.slack.dev/reference/methods, "Required scopes" of each). */
export const scopesOf: Record<string, (given: Arguments) => string> = {
  'auth.test': () => '',
  'users.info': () => 'users:read',
  'conversations.open': () => 'im:write',
  'conversations.history': ({ channel }) => historyScope(channel),
  'conversations.replies': ({ channel }) => historyScope(channel),
  'chat.postMessage': () => 'chat:write',
  'chat.postEphemeral': () => 'chat:write',
  'chat.update': () => 'chat:write',
}

function historyScope(channel = ''): string {
  return channel.startsWith('D') ? 'im:history' : channel.startsWith('G') ? 'groups:history' : 'channels:history'
}

/** The methods that this system uses, as docs.slack.dev/reference/methods describes them. */
const methods: Record<string, Method> = {
  'auth.test': ({ team, bot }) => ({ team_id: team, user_id: bot.user, bot_id: bot.id }),
  'users.info': ({ users, scopes }, given) => {
    const user = users.get(text(given, 'user'))
    if (user === undefined) throw new Refused('user_not_found')
    // reference/scopes/users.read.email: without it the profile has no address.
    return { user: scopes.has('users:read.email') ? user : { ...user, profile: {} } }
  },
  'conversations.open': (workspace, given) => {
    const user = text(given, 'users')
    if (!workspace.users.has(user)) throw new Refused('user_not_found')
    return { channel: { id: workspace.directOf(user) } }
  },
  'conversations.history': (workspace, given) => {
    const channel = knownChannel(workspace, given)
    const all = workspace.posts.filter(
      (post) => post.channel === channel && post.to === null && [null, post.ts].includes(post.thread_ts),
    )
    // Newest first.
    return toPage(all.reverse(), given)
  },
  'conversations.replies': (workspace, given) => {
    const channel = knownChannel(workspace, given)
    const head = text(given, 'ts')
    const all = workspace.posts.filter(
      (post) => post.channel === channel && post.to === null && (post.ts === head || post.thread_ts === head),
    )
    if (all.length === 0) throw new Refused('thread_not_found')
    return toPage(all, given)
  },
  'chat.postMessage': (workspace, given) => {
    const post = newPost(workspace, given, null)
    workspace.posts.push(post)
    return { channel: post.channel, ts: post.ts, message: toMessage(post, false) }
  },
  'chat.postEphemeral': (workspace, given) => {
    const user = text(given, 'user')
    if (!workspace.users.has(user)) throw new Refused('user_not_in_channel')
    const post = newPost(workspace, given, user)
    workspace.posts.push(post)
    return { message_ts: post.ts }
  },
  'chat.update': (workspace, given) => {
    const channel = knownChannel(workspace, given)
    const post = workspace.posts.find((known) => known.channel === channel && known.ts === given['ts'])
    if (post === undefined) throw new Refused('message_not_found')
    if (post.bot_id !== workspace.bot.id) throw new Refused('cant_update_message')
    const message = readMessage(given)
    // Without metadata in the call, those of the message stay.
    Object.assign(post, { ...message, metadata: message.metadata ?? post.metadata })
    return { channel, ts: post.ts }
  },
}

export function callMethod(workspace: Workspace, name: string, given: Arguments): Record<string, unknown> {
  const method = methods[name]
  const scope = scopesOf[name]?.(given) ?? ''
  try {
    if (method === undefined) throw new Refused('unknown_method')
    if (scope !== '' && !workspace.scopes.has(scope)) throw new Refused('missing_scope')
    return { ok: true, ...method(workspace, given) }
  } catch (error) {
    if (error instanceof Refused) return { ok: false, error: error.message }
    throw error
  }
}

function text(given: Arguments, name: string): string {
  const value = given[name]
  if (value === undefined || value === '') throw new Refused('invalid_arguments')
  return value
}

/** reference/methods/chat.postMessage, errors: channel_not_found, is_archived, not_in_channel. */
function knownChannel(workspace: Workspace, given: Arguments): string {
  const id = text(given, 'channel')
  if (id.startsWith('D')) {
    if ([...workspace.users.keys()].some((user) => workspace.directOf(user) === id)) return id
    throw new Refused('channel_not_found')
  }
  const channel = workspace.channels.get(id)
  if (channel === undefined) throw new Refused('channel_not_found')
  if (channel.archived) throw new Refused('is_archived')
  if (!channel.member) throw new Refused('not_in_channel')
  return id
}

function newPost(workspace: Workspace, given: Arguments, to: string | null): SlackPost {
  const channel = knownChannel(workspace, given)
  const { user, id } = workspace.bot
  return {
    ...readMessage(given),
    channel,
    ts: workspace.nextTs(),
    thread_ts: given['thread_ts'] ?? null,
    user,
    bot_id: id,
    to,
  }
}

function readMessage(given: Arguments): PostedMessage {
  let message: PostedMessage
  try {
    const blocks = JSON.parse(given['blocks'] ?? '[]') as Block[]
    const metadata =
      given['metadata'] === undefined ? null : (JSON.parse(given['metadata']) as PostedMessage['metadata'])
    message = { text: given['text'] ?? '', blocks, metadata }
  } catch {
    throw new Refused('invalid_blocks_format')
  }
  const refusal = refusalOf(message)
  if (refusal !== null) throw new Refused(refusal)
  return message
}

/** apis/web-api/pagination: a page, and the cursor of the next one. `oldest` itself is left out unless `inclusive`. */
function toPage(posts: SlackPost[], given: Arguments): Record<string, unknown> {
  const limit = Number(given['limit'] ?? 100)
  // reference/methods/conversations.history: limit is at most 999.
  if (!(limit >= 1 && limit <= 999)) throw new Refused('invalid_limit')
  const start = Number(given['cursor'] ?? 0)
  const oldest = Number(given['oldest'] ?? 0)
  const fitting = posts.filter(({ ts }) => Number(ts) > oldest)
  const more = start + limit < fitting.length
  const all = given['include_all_metadata'] === 'true'
  return {
    messages: fitting.slice(start, start + limit).map((post) => toMessage(post, all)),
    has_more: more,
    response_metadata: { next_cursor: more ? String(start + limit) : '' },
  }
}

/** messaging/message-metadata: the payload is given only where include_all_metadata asks for it. */
function toMessage({ ts, user, text: words, thread_ts, bot_id, blocks, metadata }: SlackPost, all: boolean) {
  return {
    ...{ type: 'message', ts, user, text: words, blocks },
    ...(thread_ts !== null && { thread_ts }),
    ...(bot_id !== null && { bot_id }),
    ...(metadata !== null && all && { metadata }),
  }
}
