import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type SlackStandIn, startSlackStandIn } from './start.ts'
import { addMember, allScopes, createWorkspace, type Workspace } from './workspace.ts'

let workspace: Workspace
let standIn: SlackStandIn
beforeAll(async () => {
  workspace = createWorkspace(() => new Date('2026-11-24T09:00:00Z'))
  addMember(workspace, 'U0ALICE', 'alice@company.com')
  workspace.channels.set('C0OLD', { archived: true, member: true })
  workspace.channels.set('C0AWAY', { archived: false, member: false })
  standIn = await startSlackStandIn(workspace)
})
afterAll(() => standIn.close())
beforeEach(() => {
  workspace.scopes = new Set(allScopes)
  workspace.posts.length = 0
})

const ask = async (method: string, given: Record<string, string>, token = workspace.bot.token) => {
  const response = await fetch(standIn.url + method, {
    method: 'POST',
    headers: { ...(token !== '' && { authorization: `Bearer ${token}` }) },
    body: new URLSearchParams(given),
  })
  return {
    status: response.status,
    headers: response.headers,
    ...((await response.json()) as { ok: boolean; error?: string; messages?: { metadata?: unknown }[] }),
  }
}

const post = { channel: 'C0HELP', text: 'hello' }

test.each<[string, string, Record<string, string>]>([
  ['channel_not_found', 'chat.postMessage', { ...post, channel: 'C0NONE' }],
  ['channel_not_found', 'chat.postMessage', { ...post, channel: 'D0NOBODY' }],
  ['is_archived', 'chat.postMessage', { ...post, channel: 'C0OLD' }],
  ['not_in_channel', 'chat.postMessage', { ...post, channel: 'C0AWAY' }],
  ['no_text', 'chat.postMessage', { channel: 'C0HELP' }],
  ['invalid_blocks', 'chat.postMessage', { ...post, blocks: '[{"type":"section"}]' }],
  ['invalid_blocks_format', 'chat.postMessage', { ...post, blocks: '[' }],
  ['invalid_arguments', 'chat.postMessage', { text: 'hello' }],
  ['user_not_in_channel', 'chat.postEphemeral', { ...post, user: 'U0NOBODY' }],
  ['message_not_found', 'chat.update', { ...post, ts: '1.1' }],
  ['user_not_found', 'users.info', { user: 'U0NOBODY' }],
  ['user_not_found', 'conversations.open', { users: 'U0NOBODY' }],
  ['thread_not_found', 'conversations.replies', { channel: 'C0HELP', ts: '1.1' }],
  ['invalid_limit', 'conversations.history', { channel: 'C0HELP', limit: '1000' }],
  ['unknown_method', 'chat.shout', {}],
])('it refuses with %s: %s', async (error, method, given) => {
  expect(await ask(method, given)).toMatchObject({ status: 200, ok: false, error })
})

test('it refuses without a token, with another token, and without the scope', async () => {
  expect(await ask('auth.test', {}, '')).toMatchObject({ ok: false, error: 'not_authed' })
  expect(await ask('auth.test', {}, 'xoxb-other')).toMatchObject({ ok: false, error: 'invalid_auth' })
  workspace.scopes = new Set(['users:read'])
  for (const [method, given] of [
    ['chat.postMessage', post],
    ['conversations.open', { users: 'U0ALICE' }],
    ['conversations.history', { channel: 'C0HELP' }],
  ] as const) {
    expect(await ask(method, given), method).toMatchObject({ ok: false, error: 'missing_scope' })
  }
  expect(await ask('users.info', { user: 'U0ALICE' })).toMatchObject({ ok: true, user: { profile: {} } })
})

test('it refuses somebody else’s message to be changed', async () => {
  const { ts } = workspace.say('U0ALICE', 'C0HELP', 'mine')
  expect(await ask('chat.update', { ...post, ts })).toMatchObject({ error: 'cant_update_message' })
})

test('it refuses who calls too often, and says until when', async () => {
  workspace.plays.push('rate-limited')
  const answer = await ask('chat.postMessage', post)
  expect(answer).toMatchObject({ status: 429, ok: false, error: 'ratelimited' })
  expect(answer.headers.get('retry-after')).toBe('5')
})

test('metadata is given only to who asks for all of it, and a page has a cursor to the next', async () => {
  const metadata = JSON.stringify({ event_type: 'answer_delivered', event_payload: { delivery: 'd' } })
  for (let at = 0; at < 3; at += 1) await ask('chat.postMessage', { ...post, metadata })
  const { messages = [] } = await ask('conversations.history', { channel: 'C0HELP' })
  expect(messages.map((message) => message.metadata)).toEqual([undefined, undefined, undefined])
  const page = await ask('conversations.history', { channel: 'C0HELP', limit: '2', include_all_metadata: 'true' })
  expect(page).toMatchObject({ has_more: true, response_metadata: { next_cursor: '2' } })
  expect(page.messages?.[0]?.metadata).toEqual(JSON.parse(metadata))
})
