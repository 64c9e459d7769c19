import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createIngress, type Ingress } from '../../functions/ingress/ingress.ts'
import { requestId } from '../../functions/ingress/request-id.ts'
import { toEvent, toMessageEvent, toPress } from '../../local/slack/payloads.ts'
import { eventCall, formCall, type SlackCall } from '../../local/slack/sign.ts'
import { startSlackStandIn } from '../../local/slack/start.ts'
import { addMember, createWorkspace, type SlackPost, type Workspace } from '../../local/slack/workspace.ts'
import type { Channel, Door, Mailbox, Sender } from '../../shared/channels/channel.ts'
import { email } from '../../shared/channels/email/channel.ts'
import { createMailbox } from '../../shared/channels/email/mailbox.ts'
import { openMailSender } from '../../shared/channels/email/sender.ts'
import { createMemoryInbox, type MemoryInbox } from '../../shared/channels/email/testing/memory-inbox.ts'
import { agent, company, dns, plainMail } from '../../shared/channels/email/testing/running-email.ts'
import { startSmtp, type TestSmtp } from '../../shared/channels/email/testing/smtp-server.ts'
import { slack } from '../../shared/channels/slack/channel.ts'
import type { Event } from '../../shared/events/event.ts'
import { quiet } from '../pipeline.ts'
import { createWorld, type World } from '../world.ts'

/** One conversation over three channels: begun in Slack, confirmed by replying to a mail, read on the web. */
const alice = 'alice.johnson@company.com'
const secret = 'a-signing-secret'
let workspace: Workspace
let standIn: Awaited<ReturnType<typeof startSlackStandIn>>
let smtp: TestSmtp
let inbox: MemoryInbox
let world: World
let door: Door
let mailbox: Mailbox
let ingress: Ingress

beforeEach(async () => {
  let now = () => new Date('2026-11-24T09:00:00Z')
  workspace = createWorkspace(() => now())
  addMember(workspace, 'U0ALICE', alice)
  ;[standIn, smtp, inbox] = [await startSlackStandIn(workspace), await startSmtp(), createMemoryInbox()]
  const settings = { SLACK_SIGNING_SECRET: secret, SLACK_BOT_TOKEN: workspace.bot.token, SLACK_API_URL: standIn.url }
  const mail = {
    from: { name: 'Self-Service Agent', address: agent },
    smtp: { host: '127.0.0.1', port: smtp.port, tls: 'none', login: null },
  } as const
  const open = new Map<string, Sender>()
  const known = new Map<string, Channel>([slack, email].map((channel) => [channel.name, channel]))
  world = await createWorld({
    senders: {
      names: [...known.keys()],
      reach: (name, identities) => known.get(name)?.reach?.(identities) ?? null,
      of: async (name) => open.get(name) ?? null,
      close: async () => {},
    },
  })
  const { pipeline, db } = world
  now = pipeline.now
  const parts = { database: db.database, now, fetch, log: quiet.log }
  open.set('slack', await slack.openSender(settings, parts))
  open.set('email', openMailSender(mail, { now }))
  const opened = await slack.openDoor?.(settings, { ...parts, randomBytes, receive: pipeline.receive })
  if (opened === undefined) throw new Error('Slack has a door')
  door = opened
  mailbox = createMailbox({
    ...{ database: db.database, now, receive: pipeline.receive, log: quiet.log },
    ...{ name: 'test', open: inbox.open, resolve: dns, domain: 'company.com', pointer: 'https://help.company.com' },
    proof: { addresses: [agent], domains: ['company.com'], authservId: null, borderHost: null },
    send: async () => {},
    files: null,
  })
  ingress = createIngress({
    ...{ database: db.database, now, randomBytes, log: quiet.log },
    publish: (event: Event) => pipeline.deliver(event),
    brokerReady: async () => {},
    verify: async () => ({ subject: alice, email: alice, scopes: [], kind: 'person' }),
    newId: () => requestId(now(), randomBytes),
  })
})
afterEach(async () => {
  await Promise.all([standIn.close(), smtp.close()])
  await world.close()
})

const posted = () => workspace.posts.filter(({ bot_id }) => bot_id !== null)
const textOf = (post: SlackPost | undefined) => JSON.stringify(post?.blocks ?? null)
async function call({ path, headers, body }: SlackCall): Promise<void> {
  const given = { method: 'POST', path, headers: new Headers(headers), query: new URLSearchParams() }
  expect((await door.answer({ ...given, body: new TextEncoder().encode(body) })).status).toBe(200)
}
const signed = () => ({ secret, at: world.pipeline.now() })
const say = (text: string) => {
  const post = workspace.say('U0ALICE', workspace.directOf('U0ALICE'), text)
  return call(eventCall(toEvent(workspace, toMessageEvent(workspace, post), post.ts), signed()))
}
const press = (post: SlackPost, title: string) =>
  call(
    formCall(
      'interactions',
      { payload: JSON.stringify(toPress(workspace, post, { user: 'U0ALICE', title })) },
      signed(),
    ),
  )
async function web(path: string, body?: object) {
  const method = body === undefined ? 'GET' : 'POST'
  const headers = { authorization: 'Bearer test', 'content-type': 'application/json', prefer: 'wait=10' }
  const request = new Request(`http://agent.test${path}`, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  })
  return (await (await ingress.fetch(request)).json()) as {
    session_id: string
    response: { content: string }
    messages: { role: string; content: string }[]
  }
}

test('begun in Slack, confirmed by mail, read on the web: one conversation, one ticket, each answer where it was asked', async () => {
  await say('refresh')
  // A copy of each answer by mail, too: that is what she replies to on the train.
  await world.db.database`
    insert into preferences (person, copies, updated_at) select id, '{email}', now() from people where email = ${alice}`
  const offer = posted().at(-1)
  expect(textOf(offer)).toContain('eligible')
  if (offer === undefined) throw new Error('nothing was posted')
  await press(offer, 'Show me the laptops')
  await say('3')
  expect(textOf(posted().at(-1))).toContain('Shall I open the ticket')
  const asked = smtp.received.at(-1)?.parsed
  expect(asked?.text).toContain('Shall I open the ticket')
  expect(world.mock.tickets()).toHaveLength(0)

  const inSlack = posted().length
  const reply = plainMail(
    {
      From: `Alice <${alice}>`,
      Subject: `Re: ${asked?.subject ?? ''}`,
      'Message-ID': '<train@company.com>',
      'In-Reply-To': asked?.messageId ?? '',
      References: asked?.messageId ?? '',
    },
    `Yes\r\n\r\nOn Tue, 24 Nov 2026 at 10:00, Self-Service Agent wrote:\r\n> Shall I open the ticket for it?`,
    world.pipeline.now(),
  )
  inbox.add(await company.sign(reply), world.pipeline.now())
  expect(await mailbox.fetch(AbortSignal.timeout(10_000))).toEqual({ taken: 1 })
  const [ticket, ...others] = world.mock.tickets()
  expect(others).toEqual([])
  const answer = smtp.received.at(-1)?.parsed
  expect(answer?.text).toContain(ticket?.number)
  expect(answer?.inReplyTo).toBe('<train@company.com>')
  expect(posted()).toHaveLength(inSlack)

  const asking = await web('/api/v1/requests/web', { content: 'my open requests' })
  expect(asking.response.content).toContain(ticket?.number)
  const { messages } = await web(`/api/v1/conversations/${asking.session_id}`)
  expect(messages.filter(({ role }) => role === 'employee').map(({ content }) => content)).toEqual([
    'refresh',
    'Show me the laptops',
    '3',
    'yes',
    'my open requests',
  ])
  expect(messages.filter(({ role }) => role === 'agent')).toHaveLength(5)
  expect(posted()).toHaveLength(inSlack)
  const [counted] = await world.db.database<{ sessions: number; people: number }[]>`
    select (select count(*)::int from sessions) as sessions, (select count(*)::int from people) as people`
  expect(counted).toEqual({ sessions: 1, people: 1 })
  const states = await world.db.database<{ state: string }[]>`select distinct state from deliveries`
  expect(states).toEqual([{ state: 'delivered' }])
})
