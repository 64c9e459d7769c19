import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { eventCall, formCall, sign } from '../../../local/slack/sign.ts'
import { addMember } from '../../../local/slack/workspace.ts'
import { linkIdentity, takeLink } from '../../store/identities.ts'
import { resolvePerson } from '../../store/people.ts'
import { readLinkToken } from '../link.ts'
import { forgeriesOf } from './testing/forgeries.ts'
import { type SlackWorld, signingSecret, startSlackWorld, titlesOf } from './testing/world.ts'

/** One world for all: each test has a person of its own. */
let slack: SlackWorld
let user: string
let email: string
let direct: string
let people = 0
beforeAll(async () => {
  slack = await startSlackWorld()
})
afterAll(() => slack.close())
beforeEach(() => {
  people += 1
  user = `U0P${people}`
  email = `person${people}@company.com`
  direct = slack.workspace.directOf(user)
  addMember(slack.workspace, user, email)
})

/** For what only an employee with a record gets to. */
const beAlice = () => {
  ;[user, email] = ['U0ALICE', 'alice.johnson@company.com']
  direct = slack.workspace.directOf(user)
}
const requests = async (identity = `email:${email}`) =>
  await slack.world.db.database<{ content: string; thread: string; caller: string; context: unknown }[]>`
    select content, target->>'thread' as thread, caller, context from requests where identity = ${identity} order by accepted`
const texts = (channel: string, thread: string | null = null) => slack.posted(channel, thread).map(({ text }) => text)
const bot = '<@U0AGENT>'
const signed = () => ({ secret: signingSecret, at: slack.world.pipeline.now() })

test('Slack’s check of the address is answered, if it is signed', async () => {
  const check = { type: 'url_verification', token: 'x', challenge: '3eZbrw1aB10' }
  expect(await slack.deliver(eventCall(check, signed()))).toEqual({ status: 200, body: '3eZbrw1aB10' })
  const { headers: _none, ...unsigned } = eventCall(check, signed())
  expect(await slack.deliver({ ...unsigned, headers: {} })).toEqual({ status: 401, body: 'channel.forged' })
})

test('every forgery and every replay is refused as what it is', async () => {
  const now = slack.world.pipeline.now
  for (const { name, kind, call } of forgeriesOf(slack.workspace, { text: 'x', secret: signingSecret, now })) {
    expect(await slack.deliver(call), name).toEqual({ status: 401, body: `channel.${kind}` })
  }
})

test('a signed body that is none, or of another shape, is malformed', async () => {
  const bodies = ['', '{', '[]', '{"type":"event_callback"}', '{"type":"event_callback","team_id":1,"event":{}}']
  for (const body of bodies) {
    const call = eventCall(null, signed())
    expect(await slack.deliver({ ...call, body, headers: sign(body, signed()) }), body).toEqual({
      status: 400,
      body: 'request.malformed',
    })
  }
  expect((await slack.deliver(formCall('interactions', { payload: '{' }, signed()))).status).toBe(400)
  expect((await slack.deliver(formCall('commands', { text: 'x' }, signed()))).status).toBe(400)
})

test('a retry of Slack is the same message, also under another event id', async () => {
  const post = slack.workspace.say(user, direct, 'refresh')
  const event = { type: 'message', channel: direct, channel_type: 'im', user, text: 'refresh', ts: post.ts }
  for (const id of ['1', '1', '2']) expect((await slack.tell(event, id)).status).toBe(200)
  expect(await requests()).toHaveLength(1)
})

test('a mention opens a thread; who asked there goes on without one; nobody else is heard', async () => {
  beAlice()
  const { ts } = await slack.say(user, 'C0HELP', `${bot} refresh`)
  expect(texts('C0HELP', ts).join()).toContain('Would you like to go on')
  await slack.say(user, 'C0HELP', 'yes', ts)
  expect(await requests()).toMatchObject([
    { content: 'refresh', thread: `T0LOCAL/C0HELP/${ts}`, caller: `slack:T0LOCAL/${user}` },
    { content: 'yes', thread: `T0LOCAL/C0HELP/${ts}` },
  ])
  await slack.say('U0JANE', 'C0HELP', 'no, wait', ts)
  expect(await requests('email:jane.smith@company.com')).toEqual([])
  await slack.say(user, 'C0HELP', 'lunch, anybody?')
  expect(await requests()).toHaveLength(2)
})

test('a mention that also comes as a message of its channel is one message', async () => {
  const post = await slack.say(user, 'C0HELP', `${bot} refresh`)
  const event = { type: 'message', channel: 'C0HELP', channel_type: 'channel', user, text: post.text, ts: post.ts }
  await slack.say(user, 'C0HELP', `${bot} yes`, post.ts)
  await slack.tell({ ...event, thread_ts: post.ts })
  expect((await requests()).map(({ content }) => content)).toEqual(['refresh', 'yes'])
})

test('what is said in a thread while its first message is still on its way is heard', async () => {
  const { ts } = slack.workspace.say(user, 'C0HELP', `${bot} refresh`)
  await slack.say(user, 'C0HELP', `${bot} refresh`, ts)
  await slack.world.db.database`
    update requests set state = 'accepted', session = null where identity = ${`email:${email}`}`
  await slack.say(user, 'C0HELP', 'and quickly', ts)
  expect((await requests()).map(({ content }) => content)).toEqual(['refresh', 'and quickly'])
})

test('an assistant’s thread in direct messages is kept apart from the rest', async () => {
  const { ts } = slack.workspace.say(user, direct, 'New conversation')
  await slack.say(user, direct, 'refresh', ts)
  expect(await requests()).toMatchObject([{ thread: `T0LOCAL/${direct}/${ts}` }])
  expect(texts(direct, ts)).toHaveLength(1)
  expect(texts(direct)).toEqual([])
})

test('addresses in what is typed are read as addresses', async () => {
  await slack.say(user, direct, '<mailto:jane.smith@company.com|jane.smith@company.com> &amp; <https://a.example>')
  expect(await requests()).toMatchObject([{ content: 'jane.smith@company.com & https://a.example' }])
})

test.each([
  ['a guest', { is_restricted: true }],
  ['a guest of one channel', { is_ultra_restricted: true }],
  ['somebody of another workspace', { team_id: 'T0OTHER' }],
  ['a stranger', { is_stranger: true }],
  ['somebody who left', { deleted: true }],
])('%s: told where to sign in, and answered as nobody', async (_name, more) => {
  Object.assign(slack.workspace.users.get(user) ?? {}, more)
  await slack.say(user, direct, 'refresh')
  const { ts } = await slack.say(user, 'C0HELP', `${bot} refresh`)
  expect(texts(direct)).toEqual([expect.stringContaining('sign in at https://agent.company.com')])
  expect(slack.posted('C0HELP', ts)).toMatchObject([{ to: user, text: expect.stringContaining('who you are') }])
  const { status, body } = await slack.command(user, 'refresh')
  expect([status, body]).toEqual([200, expect.stringContaining('sign in at https://agent.company.com')])
  expect(await requests()).toEqual([])
  expect(await slack.world.db.database`select from people where email = ${email}`).toHaveLength(0)
})

test.each([
  ['no address', { profile: {} }],
  ['an address that nobody confirmed', { is_email_confirmed: false }],
  ['an address that is none', { profile: { email: 'root@localhost' } }],
])('%s: given a link of their own, seen by them alone, and after it they are who signed in', async (_name, more) => {
  Object.assign(slack.workspace.users.get(user) ?? {}, more)
  const { database } = slack.world.db
  await slack.say(user, direct, 'refresh')
  const { ts } = await slack.say(user, 'C0HELP', `${bot} refresh`)
  const { body } = await slack.command(user, 'refresh')
  const told = slack.posted('C0HELP', ts)
  expect(told.map(({ to }) => to)).toEqual([user])
  const links = [texts(direct)[0], told[0]?.text, JSON.parse(body).text].map(
    (text) => /https:\/\/agent\.company\.com\/link\?token=([\w-]{43}) within 15 minutes/.exec(text)?.[1],
  )
  expect(new Set(links).size).toBe(3)
  expect([await requests(), await database`select from people where email = ${email}`]).toEqual([[], []])
  // What the page does with the newest of them, for somebody who signed in.
  const link = await takeLink(database, readLinkToken(links[2] ?? ''), slack.world.pipeline.now())
  expect(link).toMatchObject({ identity: `slack:T0LOCAL/${user}`, channel: 'slack' })
  const person = await resolvePerson(database, `email:${email}`, email)
  await linkIdentity(database, { identity: link?.identity ?? '', person, now: slack.world.pipeline.now() })
  await slack.say(user, direct, 'refresh')
  expect(await requests()).toMatchObject([{ content: 'refresh', caller: `slack:T0LOCAL/${user}` }])
})

test('a message that is one too many is said to be so, by every way, and none is sent again', async () => {
  const { database } = slack.world.db
  await slack.say(user, direct, 'refresh')
  await slack.say(user, direct, 'yes')
  const post = slack.posted(direct).findLast(({ blocks }) => blocks.some(({ type }) => type === 'actions'))
  await database`
    insert into requests (id, caller, identity, channel, body_hash, content, event, target, traceparent)
    select gen_random_uuid(), 'x', ${`email:${email}`}, 'slack', '', 'waits', '{}', '{}', ''
    from generate_series(1, 30)`
  await slack.say(user, direct, 'and another')
  expect(texts(direct).at(-1)).toContain('more messages waiting than I can take')
  expect(JSON.parse((await slack.command(user, 'and another')).body).text).toContain('more messages waiting')
  if (post !== undefined) {
    const before = slack.posted(direct).length
    await slack.press(post, { user, title: titlesOf(post.blocks)[0] ?? '' })
    expect(texts(direct).slice(before)).toEqual([expect.stringContaining('more messages waiting')])
  }
  expect((await requests()).filter(({ content }) => content === 'and another')).toEqual([])
  await database`delete from requests where content = 'waits'`
  await slack.say(user, direct, 'and another')
  expect((await requests()).at(-1)).toMatchObject({ content: 'and another' })
})

test('another program is nobody, and is told nothing', async () => {
  addMember(slack.workspace, user, email, { is_bot: true })
  await slack.say(user, direct, 'refresh')
  expect([await requests(), texts(direct)]).toEqual([[], []])
})

test('what Slack said of an account is believed for an hour', async () => {
  const asked = () => slack.workspace.calls.filter((method) => method === 'users.info').length
  const before = asked()
  await slack.say(user, direct, 'refresh')
  await slack.say(user, direct, 'yes')
  expect(asked() - before).toBe(1)
  Object.assign(slack.workspace.users.get(user) ?? {}, { profile: { email: `new-${email}` } })
  await slack.world.db.database`
    update identities set believed_until = believed_until - interval '2 h' where identity = ${`slack:T0LOCAL/${user}`}`
  await slack.say(user, direct, 'refresh')
  expect(await requests()).toHaveLength(2)
  expect(await requests(`email:new-${email}`)).toHaveLength(1)
})

test('what an operator linked is not Slack’s to change', async () => {
  const { database } = slack.world.db
  await slack.say(user, direct, 'refresh')
  await database`
    update identities set source = 'operator', believed_until = null where identity = ${`slack:T0LOCAL/${user}`}`
  Object.assign(slack.workspace.users.get(user) ?? {}, { profile: { email: 'boss@company.com' } })
  await slack.say(user, direct, 'yes')
  expect(await requests()).toHaveLength(2)
})

test('while Slack cannot say who it is, the event comes again; a command is answered so', async () => {
  slack.workspace.scopes.delete('users:read')
  const event = {
    type: 'message',
    channel: direct,
    channel_type: 'im',
    user,
    text: 'refresh',
    ts: slack.workspace.nextTs(),
  }
  expect((await slack.tell(event)).status).toBe(503)
  expect((await slack.command(user, 'refresh')).body).toContain('try again in a minute')
  slack.workspace.scopes.add('users:read')
  expect((await slack.tell(event)).status).toBe(200)
  expect(await requests()).toHaveLength(1)
})

test('a slash command is seen to be taken, and is answered in direct messages', async () => {
  const { status, body } = await slack.command(user, 'refresh &lt;!channel&gt;', 'trigger-1')
  expect(status).toBe(200)
  expect(JSON.parse(body)).toEqual({
    response_type: 'ephemeral',
    text: 'I have got “refresh &lt;!channel&gt;” and answer in our direct messages.',
  })
  expect(texts(direct)).toHaveLength(1)
  await slack.command(user, 'refresh &lt;!channel&gt;', 'trigger-1')
  expect(await requests()).toMatchObject([{ thread: `T0LOCAL/${user}` }])
  expect((await slack.command(user, '  ')).body).toContain('Write what you need')
  expect((await slack.command(user, 'x'.repeat(20_000))).body).toContain('longer than I can take')
})

test('a message that cannot be taken is said to be so, and not sent again', async () => {
  await slack.say(user, direct, 'x'.repeat(20_000))
  await slack.tell({
    type: 'message',
    subtype: 'file_share',
    channel: direct,
    channel_type: 'im',
    user,
    text: '',
    ts: '1.2',
  })
  expect(texts(direct)).toEqual([
    expect.stringContaining('longer than I can take'),
    expect.stringContaining('only read text'),
  ])
})

test('the buttons of an option are words; pressed twice they are said once, and are gone', async () => {
  for (const text of ['refresh', 'yes']) await slack.say(user, direct, text)
  const post = slack.posted(direct).findLast(({ blocks }) => blocks.some(({ type }) => type === 'actions'))
  const [title] = post === undefined ? [] : titlesOf(post.blocks)
  if (post === undefined || title === undefined) throw new Error('no option')
  const before = structuredClone(post)
  for (let time = 0; time < 2; time += 1) await slack.press(before, { user, title })
  expect((await requests()).map(({ content }) => content)).toEqual(['refresh', 'yes', title])
  expect(post.blocks.map(({ type }) => type)).not.toContain('actions')
  expect(JSON.stringify(post.blocks)).toContain(`You chose: ${title}`)
  expect(post.metadata).toEqual(before.metadata)
  // Somebody else who sees it in a channel presses nothing.
  await slack.press(before, { user: 'U0JANE', title })
  expect(await requests('email:jane.smith@company.com')).toEqual([])
  expect(slack.posted(direct).at(-1)?.text).toContain('for somebody else')
})

test('a second person approves by their button, and nobody in their place', async () => {
  beAlice()
  // Jane is on Slack because she has written to us before.
  await slack.say('U0JANE', slack.workspace.directOf('U0JANE'), 'hello')
  const words = [
    'reset',
    'I need 40 seats of Figma on CC-1234',
    'we design the new web shop',
    'jane.smith@company.com',
    'yes',
  ]
  for (const text of words) await slack.say(user, direct, text)
  const asked = slack.posted(slack.workspace.directOf('U0JANE')).at(-1)
  expect(asked?.text).toContain(`${email} asks for your decision`)
  if (asked === undefined) throw new Error('nobody was asked')
  const open = structuredClone(asked)
  await slack.press(open, { user, title: 'Yes' })
  expect(texts(direct).join()).not.toContain('REQ')
  await slack.press(open, { user: 'U0JANE', title: 'Yes' })
  expect(JSON.stringify(asked.blocks)).toContain('You approved this.')
  expect(texts(direct).at(-1)).toMatch(/REQ\d+/)
  await slack.press(open, { user: 'U0JANE', title: 'No' })
  expect(JSON.stringify(asked.blocks)).toContain('This was decided before.')
})

test('whether an answer helped is kept of whom it was for, and of nobody else', async () => {
  await slack.say(user, direct, 'refresh')
  await slack.say(user, direct, 'no')
  const post = slack.posted(direct).findLast(({ blocks }) => blocks.some(({ type }) => type === 'context_actions'))
  if (post === undefined) throw new Error('nothing to judge')
  const kept = async () =>
    await slack.world.db.database`
    select f.good from feedback f join people p on p.id = f.person where p.email in (${email}, 'jane.smith@company.com')`
  await slack.press(post, { user: 'U0JANE', title: '👍' })
  expect(await kept()).toEqual([])
  await slack.press(post, { user, title: '👍' })
  await slack.press(post, { user, title: '👎' })
  expect(await kept()).toEqual([{ good: false }])
  expect(texts(direct).at(-1)).toBe('Thank you for saying so.')
})

test('while Slack is silent about who it is, it is answered within its three seconds all the same', async () => {
  slack.workspace.silent = true
  const event = {
    type: 'message',
    channel: direct,
    channel_type: 'im',
    user,
    text: 'refresh',
    ts: slack.workspace.nextTs(),
  }
  const began = performance.now()
  const [told, shown] = await Promise.all([slack.tell(event), slack.command(user, 'refresh')])
  slack.workspace.silent = false
  expect(performance.now() - began).toBeLessThan(2_800)
  expect(told.status).toBe(502)
  expect(shown.body).toContain('try again in a minute')
})
