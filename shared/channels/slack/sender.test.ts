import { afterEach, beforeEach, expect, test } from 'vitest'
import { type SlackStandIn, startSlackStandIn } from '../../../local/slack/start.ts'
import { addMember, createWorkspace, type Workspace } from '../../../local/slack/workspace.ts'
import { quiet } from '../../../test/pipeline.ts'
import type { Database } from '../../store/connect.ts'
import type { Outgoing, Sender, SenderParts } from '../channel.ts'
import { slack } from './channel.ts'
import { openSlackSender } from './sender.ts'

const now = () => new Date('2026-11-24T09:00:00Z')
// A sender of Slack asks Postgres nothing.
const parts: SenderParts = { database: undefined as unknown as Database, now, fetch, log: quiet.log }
let workspace: Workspace
let standIn: SlackStandIn
let sender: Sender
beforeEach(async () => {
  workspace = createWorkspace(now)
  addMember(workspace, 'U0ALICE', 'alice@company.com')
  standIn = await startSlackStandIn(workspace)
  sender = await openSlackSender({ SLACK_BOT_TOKEN: workspace.bot.token, SLACK_API_URL: standIn.url }, parts)
})
afterEach(() => standIn.close())

const outgoing: Outgoing = {
  ...{ id: '5a1f0c1e-0000-5000-8000-000000000001', person: 'alice@company.com', thread: 'T0LOCAL/C0HELP' },
  ...{ text: 'Hello.', offer: null, origin: null, session: 's', turn: 't', agent: 'router' },
}
const long = { ...outgoing, text: 'word '.repeat(5_000) }
const signal = () => AbortSignal.timeout(5_000)
const send = (more: Partial<Outgoing> = {}) => sender.send({ ...outgoing, ...more }, signal())
const find = (more: Partial<Outgoing> = {}) => sender.find?.({ ...outgoing, ...more }, signal())
const at = (place: string) => workspace.posts.filter(({ channel }) => channel === place)

test('an answer goes to its thread, and says where it is', async () => {
  const head = workspace.say('U0ALICE', 'C0HELP', 'a question')
  const reference = await send({ thread: `T0LOCAL/C0HELP/${head.ts}` })
  expect(at('C0HELP').at(-1)).toMatchObject({ thread_ts: head.ts, text: 'Hello.' })
  expect(reference).toBe(`C0HELP/${at('C0HELP').at(-1)?.ts}`)
  expect(await find({ thread: `T0LOCAL/C0HELP/${head.ts}` })).toBe(reference)
})

test('somebody who is known by their account alone is reached in direct messages', async () => {
  const thread = slack.reach?.(['email:alice@company.com', 'slack:T0LOCAL/U0ALICE']) ?? null
  expect(thread).toBe('T0LOCAL/U0ALICE')
  expect(slack.reach?.(['email:alice@company.com', 'slack:nonsense'])).toBeNull()
  const reference = await send({ thread })
  expect(at('D0ALICE')).toHaveLength(1)
  expect(await find({ thread })).toBe(reference)
})

test.each([
  ['rate-limited', 'delivery.unavailable', 5],
  ['archived', 'delivery.refused', undefined],
  ['lost', 'delivery.unknown', undefined],
  ['hung-up', 'delivery.unknown', undefined],
  ['broken', 'delivery.unknown', undefined],
] as const)('where Slack is %s the end is %s', async (play, code, retryAfter) => {
  workspace.plays.push(play)
  await expect(send()).rejects.toMatchObject({ code, retryAfter })
  expect(workspace.calls).toEqual(['chat.postMessage'])
})

test.each([
  ['channel_not_found', { thread: 'T0LOCAL/C0NONE' }],
  ['no place', { thread: 'somewhere' }],
  ['no place', { thread: null }],
  ['nothing to read', { text: ' \n ' }],
])('%s is refused for good', async (detail, more) => {
  await expect(send(more)).rejects.toMatchObject({ code: 'delivery.refused', message: expect.stringContaining(detail) })
})

test('a token that was taken back is refused for good', async () => {
  workspace.bot.token = 'xoxb-new'
  await expect(send()).rejects.toMatchObject({
    code: 'delivery.refused',
    message: expect.stringContaining('invalid_auth'),
  })
})

test('where nobody listens nothing was sent', async () => {
  await standIn.close()
  await expect(send()).rejects.toMatchObject({ code: 'delivery.unavailable' })
  standIn = await startSlackStandIn(workspace)
})

test('a call that is given up while Slack is silent may have been done', async () => {
  workspace.silent = true
  await expect(sender.send(outgoing, AbortSignal.timeout(50))).rejects.toMatchObject({ code: 'delivery.unknown' })
})

test('a long answer whose second part is held back is unknown, and is finished by who looks it up', async () => {
  workspace.plays.push('taken', 'rate-limited')
  await expect(send(long)).rejects.toMatchObject({ code: 'delivery.unknown', retryAfter: 5 })
  expect(at('C0HELP')).toHaveLength(1)
  const reference = await find(long)
  expect(at('C0HELP')).toHaveLength(3)
  expect(reference).toBe(`C0HELP/${at('C0HELP').at(-1)?.ts}`)
  expect(await find(long)).toBe(reference)
  expect(at('C0HELP')).toHaveLength(3)
  expect(at('C0HELP').map(({ metadata }) => metadata?.event_payload['part'])).toEqual([0, 1, 2])
})

test('an earlier try is found behind many messages, and only one of its own', async () => {
  const reference = await send()
  for (let more = 0; more < 250; more += 1) workspace.say('U0ALICE', 'C0HELP', 'and another thing')
  expect(await find()).toBe(reference)
  expect(await find({ id: 'another' })).toBeNull()
  expect(workspace.calls.filter((method) => method === 'conversations.history').length).toBe(6)
})

test('what looks like a mention is none, and a link is not fetched', async () => {
  await send({ text: '<!channel> @everyone https://it.company.com' })
  const [post] = at('C0HELP')
  expect(workspace.given).toMatchObject({ unfurl_links: 'false', unfurl_media: 'false' })
  expect(post?.blocks[0]).toMatchObject({
    text: { text: '&lt;!channel&gt; @everyone <https://it.company.com>', verbatim: true },
  })
})
