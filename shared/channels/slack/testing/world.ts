import { randomBytes } from 'node:crypto'
import { toEvent, toMessageEvent, toPress } from '../../../../local/slack/payloads.ts'
import { eventCall, formCall, type SlackCall } from '../../../../local/slack/sign.ts'
import { startSlackStandIn } from '../../../../local/slack/start.ts'
import { addMember, createWorkspace, type SlackPost, type Workspace } from '../../../../local/slack/workspace.ts'
import { quiet } from '../../../../test/pipeline.ts'
import { createWorld, type World } from '../../../../test/world.ts'
import { toFault } from '../../../errors/to-fault.ts'
import type { Door } from '../../channel.ts'
import type { Incoming } from '../../receive.ts'
import type { RunningChannel, Shown, Somebody } from '../../testing/case-table.ts'
import { slack } from '../channel.ts'
import { forgeriesOf } from './forgeries.ts'

export const signingSecret = 'a-signing-secret'
export const users: Record<Somebody, string> = {
  'alice.johnson@company.com': 'U0ALICE',
  'jane.smith@company.com': 'U0JANE',
}

/** Slack as its users have it: the stand-in's workspace, our door and sender, and the stages behind. */
export interface SlackWorld {
  world: World
  workspace: Workspace
  door: Door
  channel: RunningChannel
  /** A call as Slack makes it; its status is what Slack sees, and its body what it shows. */
  deliver(call: SlackCall): Promise<{ status: number; body: string }>
  /** A message of somebody, and the event of it. `thread`: of the message at its head. */
  say(user: string, channel: string, text: string, thread?: string): Promise<SlackPost>
  tell(event: Record<string, unknown>, id?: string): Promise<{ status: number; body: string }>
  press(post: SlackPost, press: { user: string; title: string }): Promise<{ status: number; body: string }>
  command(user: string, text: string, trigger?: string): Promise<{ status: number; body: string }>
  /** What the agent posted, to everybody or to one. */
  posted(channel: string, thread?: string | null): SlackPost[]
  close(): Promise<void>
}

/** What a client sends for what a person types (docs.slack.dev, "Formatting message text"). */
const typed = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

export async function startSlackWorld(environment: Record<string, string> = {}): Promise<SlackWorld> {
  let now = () => new Date('2026-11-24T09:00:00Z')
  const workspace = createWorkspace(() => now())
  for (const [email, user] of Object.entries(users)) addMember(workspace, user, email)
  const standIn = await startSlackStandIn(workspace)
  const settings = {
    SLACK_SIGNING_SECRET: signingSecret,
    SLACK_BOT_TOKEN: workspace.bot.token,
    SLACK_API_URL: standIn.url,
    WEB_URL: 'https://agent.company.com',
    ...environment,
  }
  let world: World | undefined
  const parts = {
    get database() {
      if (world === undefined) throw new Error('no world yet')
      return world.db.database
    },
    ...{ now: () => now(), fetch, log: quiet.log },
  }
  const sender = await slack.openSender(settings, parts)
  const senders = {
    names: ['slack'],
    reach: (_name: string, identities: readonly string[]) => slack.reach?.(identities) ?? null,
    of: async (name: string) => (name === 'slack' ? sender : null),
    close: async () => {},
  }
  const started = await createWorld({ senders })
  world = started
  now = started.pipeline.now
  const door = await slack.openDoor?.(settings, {
    ...parts,
    database: started.db.database,
    receive: (incoming: Incoming) => started.pipeline.receive(incoming),
    randomBytes,
  })
  if (door === undefined) throw new Error('Slack has a door')

  const deliver: SlackWorld['deliver'] = async ({ path, headers, body }) => {
    const call = { method: 'POST', path, headers: new Headers(headers), query: new URLSearchParams() }
    try {
      const response = await door.answer({ ...call, body: new TextEncoder().encode(body) })
      return { status: response.status, body: await response.text() }
    } catch (error) {
      const fault = toFault(error)
      if (fault.code === 'stage.failed') throw error
      return { status: fault.status, body: fault.code }
    }
  }
  const signed = () => ({ secret: signingSecret, at: now() })
  const tell: SlackWorld['tell'] = (event, id = String(event['ts'])) =>
    deliver(eventCall(toEvent(workspace, event, id), signed()))
  const say: SlackWorld['say'] = async (user, channel, text, thread) => {
    const post = workspace.say(user, channel, text, thread)
    await tell(toMessageEvent(workspace, post))
    return post
  }
  const press: SlackWorld['press'] = (post, pressed) =>
    deliver(formCall('interactions', { payload: JSON.stringify(toPress(workspace, post, pressed)) }, signed()))
  const command: SlackWorld['command'] = (user, text, trigger = workspace.nextTs()) =>
    deliver(
      formCall(
        'commands',
        {
          ...{ team_id: workspace.team, channel_id: 'C0HELP', user_id: user, command: '/agent', text },
          ...{ trigger_id: trigger, response_url: 'https://hooks.slack.com/commands/none', api_app_id: 'A0AGENT' },
        },
        signed(),
      ),
    )
  const posted: SlackWorld['posted'] = (channel, thread = null) =>
    workspace.posts.filter((post) => post.bot_id !== null && post.channel === channel && post.thread_ts === thread)

  // 'one' is Alice's direct messages; 'two' is a thread of a channel.
  const head = workspace.say('U0SOMEBODY', 'C0HELP', 'a thread')
  const brought = new Map<string, SlackPost>()
  const placeOf = (thread: 'one' | 'two'): [string, string | null] =>
    thread === 'one' ? [workspace.directOf('U0ALICE'), null] : ['C0HELP', head.ts]
  const shown = (thread: 'one' | 'two') => posted(...placeOf(thread))
  const slackWorld: SlackWorld = {
    ...{ world: started, workspace, door, deliver, say, tell, press, command, posted },
    channel: {
      world: started,
      looksUp: true,
      async bring({ person, text, thread, id }) {
        const [channel, threadTs] = placeOf(thread)
        const mention = thread === 'two' ? `<@${workspace.bot.user}> ` : ''
        const post =
          brought.get(id) ?? workspace.say(users[person], channel, mention + typed(text), threadTs ?? undefined)
        brought.set(id, post)
        await tell(toMessageEvent(workspace, post))
      },
      forgeries: (text) =>
        forgeriesOf(workspace, { text, secret: signingSecret, now }).map(({ call }) => async () => {
          await deliver(call)
        }),
      noise: () =>
        noiseOf(workspace).map((event) => async () => {
          await tell(event)
        }),
      shown: async (thread) => shown(thread).map(show),
      async press(person, thread, title) {
        const post = shown(thread).findLast(({ blocks }) => titlesOf(blocks).includes(title))
        if (post === undefined) throw new Error(`no button "${title}"`)
        await press(post, { user: users[person], title })
      },
      next(play) {
        workspace.plays.push(({ unavailable: 'rate-limited', refused: 'archived', lost: 'lost' } as const)[play])
      },
      close: () => slackWorld.close(),
    },
    async close() {
      await standIn.close()
      await started.close()
    },
  }
  return slackWorld
}

/** What a client shows of a message: its sections, and the titles of its buttons. */
function show({ blocks }: SlackPost): Shown {
  const texts = blocks.flatMap((block) => (block['text'] as { text?: string } | undefined)?.text ?? [])
  return { text: texts.join('\n\n'), buttons: titlesOf(blocks) }
}

export function titlesOf(blocks: SlackPost['blocks']): string[] {
  return blocks
    .filter(({ type }) => type === 'actions')
    .flatMap((block) => (block['elements'] as { text: { text: string } }[]).map(({ text }) => text.text))
}

/** Events that tell of something else than a person's message to us. */
export function noiseOf(workspace: Workspace): Record<string, unknown>[] {
  const direct = { channel: workspace.directOf('U0ALICE'), channel_type: 'im', text: 'refresh' }
  const ts = () => workspace.nextTs()
  return [
    // Our own answers come back as events, too.
    { ...direct, type: 'message', user: workspace.bot.user, bot_id: workspace.bot.id, ts: ts() },
    { ...direct, type: 'message', user: workspace.bot.user, ts: ts() },
    { ...direct, type: 'message', subtype: 'bot_message', bot_id: 'B0OTHER', ts: ts() },
    { ...direct, type: 'message', user: 'U0ALICE', app_id: 'A0OTHER', bot_id: 'B0OTHER', ts: ts() },
    {
      ...direct,
      type: 'message',
      subtype: 'message_changed',
      hidden: true,
      ts: ts(),
      message: { user: 'U0ALICE', text: 'x' },
    },
    { ...direct, type: 'message', subtype: 'message_deleted', hidden: true, ts: ts(), deleted_ts: ts() },
    { ...direct, type: 'message', subtype: 'channel_join', user: 'U0ALICE', ts: ts() },
    { type: 'message', channel: 'C0HELP', channel_type: 'channel', user: 'U0ALICE', text: 'refresh', ts: ts() },
    {
      type: 'message',
      channel: 'C0HELP',
      channel_type: 'channel',
      user: 'U0ALICE',
      text: 'refresh',
      ts: ts(),
      thread_ts: ts(),
    },
    { type: 'reaction_added', user: 'U0ALICE', reaction: 'eyes', item: { type: 'message' }, event_ts: ts() },
    { type: 'assistant_thread_started', assistant_thread: { user_id: 'U0ALICE' }, event_ts: ts() },
  ]
}
