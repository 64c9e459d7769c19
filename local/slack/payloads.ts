import type { SlackPost, Workspace } from './workspace.ts'

/** What people do in a workspace, in the shapes in which Slack tells an app of it. */

/** docs.slack.dev/apis/events-api, "Callback field overview"; the same message is the same event. */
export function toEvent(workspace: Workspace, event: Record<string, unknown>, id: string): Record<string, unknown> {
  return {
    token: 'deprecated',
    team_id: workspace.team,
    api_app_id: 'A0AGENT',
    event,
    type: 'event_callback',
    event_id: `Ev${id}`,
    event_time: Math.floor(Number(event['ts'])),
    authorizations: [
      {
        enterprise_id: null,
        team_id: workspace.team,
        user_id: workspace.bot.user,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
    is_ext_shared_channel: false,
  }
}

/** docs.slack.dev/reference/events/message.im and app_mention: text is escaped as "Formatting message text" says. */
export function toMessageEvent(workspace: Workspace, post: SlackPost): Record<string, unknown> {
  const direct = post.channel.startsWith('D')
  const mentions = post.text.includes(`<@${workspace.bot.user}>`)
  return {
    type: mentions ? 'app_mention' : 'message',
    ...{
      user: post.user,
      text: post.text,
      ts: post.ts,
      channel: post.channel,
      event_ts: post.ts,
      team: workspace.team,
    },
    ...(post.thread_ts !== null && { thread_ts: post.thread_ts }),
    // app_mention has no channel_type.
    ...(!mentions && { channel_type: direct ? 'im' : 'channel' }),
  }
}

/** docs.slack.dev/reference/interaction-payloads/block_actions-payload, for the button of this title. */
export function toPress(workspace: Workspace, post: SlackPost, press: { user: string; title: string }) {
  for (const block of post.blocks) {
    for (const element of (block['elements'] ?? []) as Record<string, unknown>[]) {
      const sides = [element, element['positive_button'], element['negative_button']] as (
        | Record<string, unknown>
        | undefined
      )[]
      const pressed = sides.find((side) => (side?.['text'] as { text?: string } | undefined)?.text === press.title)
      if (pressed === undefined) continue
      const { action_id, type } = element
      return {
        type: 'block_actions',
        user: { id: press.user, username: 'somebody', team_id: workspace.team },
        api_app_id: 'A0AGENT',
        container: { type: 'message', message_ts: post.ts, channel_id: post.channel, is_ephemeral: false },
        trigger_id: `trigger.${post.ts}`,
        team: { id: workspace.team, domain: 'local' },
        channel: { id: post.channel, name: 'somewhere' },
        message: {
          ...{
            type: 'message',
            bot_id: post.bot_id,
            user: post.user,
            text: post.text,
            ts: post.ts,
            blocks: post.blocks,
          },
          ...(post.thread_ts !== null && { thread_ts: post.thread_ts }),
        },
        response_url: 'https://hooks.slack.com/actions/none',
        actions: [
          {
            type,
            action_id,
            block_id: block['block_id'] ?? 'made-up',
            value: pressed['value'],
            action_ts: workspace.nextTs(),
          },
        ],
      }
    }
  }
  throw new Error(`no button "${press.title}" on this message`)
}
