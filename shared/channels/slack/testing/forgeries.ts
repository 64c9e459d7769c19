import { toEvent } from '../../../../local/slack/payloads.ts'
import { eventCall, formCall, type SlackCall, sign } from '../../../../local/slack/sign.ts'
import type { Workspace } from '../../../../local/slack/workspace.ts'

export interface Forgery {
  name: string
  kind: 'forged' | 'replayed'
  call: SlackCall
}

/** Ways to pretend to be Slack, on each of its routes. */
export function forgeriesOf(
  workspace: Workspace,
  options: { text: string; secret: string; now: () => Date },
): Forgery[] {
  const { text, secret, now } = options
  const event = {
    ...{ type: 'message', channel: workspace.directOf('U0ALICE'), channel_type: 'im', user: 'U0ALICE', text },
    ts: workspace.nextTs(),
  }
  const press = {
    ...{ type: 'block_actions', user: { id: 'U0ALICE', team_id: workspace.team }, team: { id: workspace.team } },
    ...{ channel: { id: event.channel }, message: { ts: event.ts } },
    actions: [{ action_id: 'choose-0', block_id: 'for-nobody/0', value: text }],
  }
  const command = { team_id: workspace.team, user_id: 'U0ALICE', command: '/agent', text, trigger_id: 'forged' }
  const routes: ((at: Date, key: string) => SlackCall)[] = [
    (at, key) => eventCall(toEvent(workspace, event, 'forged'), { secret: key, at }),
    (at, key) => formCall('interactions', { payload: JSON.stringify(press) }, { secret: key, at }),
    (at, key) => formCall('commands', command, { secret: key, at }),
  ]
  return routes.flatMap((make) => waysOf(make, { secret, now: now() }))
}

function waysOf(make: (at: Date, key: string) => SlackCall, { secret, now }: { secret: string; now: Date }): Forgery[] {
  const good = make(now, secret)
  const signature = good.headers['x-slack-signature'] ?? ''
  const later = (seconds: number) => make(new Date(now.getTime() + seconds * 1_000), secret)
  const change = (headers: Record<string, string>, body = good.body): SlackCall => ({
    ...good,
    body,
    headers: { ...good.headers, ...headers },
  })
  const without = (name: string): SlackCall => {
    const { [name]: _left, ...headers } = good.headers
    return { ...good, headers }
  }
  const ways: [Forgery['kind'], string, SlackCall][] = [
    ['forged', 'no signature', without('x-slack-signature')],
    ['forged', 'an empty signature', change({ 'x-slack-signature': '' })],
    ['forged', 'no timestamp', without('x-slack-request-timestamp')],
    ['forged', 'a timestamp that is no number', change({ 'x-slack-request-timestamp': 'now' })],
    [
      'forged',
      'a timestamp of another form',
      change({ 'x-slack-request-timestamp': `0x${now.getTime().toString(16)}` }),
    ],
    ['forged', "another app's secret", make(now, 'another-secret')],
    ['forged', 'an empty secret', make(now, '')],
    ['forged', 'a changed body', change({}, good.body.replace('U0ALICE', 'U0JANE0'))],
    ['forged', 'a body with a byte more', change({}, `${good.body} `)],
    ['forged', 'an empty body', change({}, '')],
    ['forged', 'the signature of another body', change(pick(sign('{}', { secret, at: now })))],
    ['forged', 'a half signature', change({ 'x-slack-signature': signature.slice(0, 35) })],
    ['forged', 'a longer signature', change({ 'x-slack-signature': `${signature}00` })],
    ['forged', 'another version', change({ 'x-slack-signature': signature.replace('v0', 'v1') })],
    ['forged', 'no version', change({ 'x-slack-signature': signature.slice(3) })],
    ['forged', 'two signatures', change({ 'x-slack-signature': `${signature}, ${signature}` })],
    [
      'forged',
      'an old proof made new',
      change({ ...later(-3_600).headers, 'x-slack-request-timestamp': seconds(now) }),
    ],
    ['replayed', 'six minutes old', later(-360)],
    ['replayed', 'a second too old', later(-301)],
    ['replayed', 'a year old', later(-31_536_000)],
    ['replayed', 'a second too far ahead', later(301)],
    ['replayed', 'a year ahead', later(31_536_000)],
  ]
  return ways.map(([kind, name, call]) => ({ kind, name: `${good.path.split('/').at(-1)}: ${name}`, call }))
}

const seconds = (at: Date) => String(Math.floor(at.getTime() / 1_000))

function pick(headers: Record<string, string>): Record<string, string> {
  return { 'x-slack-signature': headers['x-slack-signature'] ?? '' }
}
