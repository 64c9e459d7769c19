import { afterEach, beforeEach, expect, test } from 'vitest'
import { Fault } from '../../errors/fault.ts'
import { createMailbox } from './mailbox.ts'
import { createMemoryInbox, type MemoryInbox } from './testing/memory-inbox.ts'
import { company, elsewhere, plainMail, type RunningMail, startMail } from './testing/running-email.ts'

/** What a tick does with the mails of a mailbox, and what it leaves. */
const alice = 'alice.johnson@company.com'
const jane = 'jane.smith@company.com'
let inbox: MemoryInbox
let mail: RunningMail
const away = { receive: false }
beforeEach(async () => {
  inbox = createMemoryInbox()
  away.receive = false
  const put = async (raw: Buffer | string, arrived: Date) => void inbox.add(raw, arrived)
  mail = await startMail(async () => ({ open: inbox.open, put, close: async () => {} }))
})
afterEach(() => mail.close())

let number = 0
const write = async (text: string, more: Record<string, string> = {}) => {
  number += 1
  const headers = { From: alice, 'Message-ID': `<m${number}@company.com>`, ...more }
  return await company.sign(plainMail(headers, text, mail.world.pipeline.now()))
}
const add = async (text: string, more: Record<string, string> = {}, ago = 0) =>
  inbox.add(await write(text, more), new Date(mail.world.pipeline.now().getTime() - ago))
const requests = async () =>
  (
    await mail.world.db.database<
      { content: string }[]
    >`select content from requests where channel = 'email' order by accepted`
  ).map(({ content }) => content)
const progress = async () => (await mail.world.db.database`select uid_validity, last_uid from mailboxes`)[0]
const flags = () => inbox.mails.map(({ flags: set }) => [...set])
const sentTo = (address: string) => mail.smtp.received.filter(({ envelope }) => envelope.to.includes(address))
const said = (address: string) => sentTo(address).at(-1)?.parsed.text ?? ''
const answers = async (text: string, from: string) =>
  await mail.arrive(await write(text, { From: from, 'In-Reply-To': sentTo(from).at(-1)?.parsed.messageId ?? '' }))

test('a tick takes what is new, in its order, and only then marks it as read', async () => {
  await add('hello')
  await add('refresh')
  inbox.beforeFlag = async () => expect((await requests()).length).toBeGreaterThan(0)
  expect(await mail.tick()).toEqual({ taken: 2 })
  expect(await requests()).toEqual(['hello', 'refresh'])
  expect(flags()).toEqual([['\\Seen'], ['\\Seen']])
  expect(await progress()).toMatchObject({ uid_validity: '7', last_uid: '2' })
  const { reads } = inbox
  expect(await mail.tick()).toEqual({ taken: 0 })
  expect(inbox.reads).toBe(reads)
})

test('what nobody wrote, and what nobody knows who wrote, stays unread for a person', async () => {
  await add('away', { 'Auto-Submitted': 'auto-replied' })
  inbox.add(
    plainMail({ From: 'x@elsewhere.example', 'Message-ID': '<x@elsewhere.example>' }, 'hi', mail.world.pipeline.now()),
    mail.world.pipeline.now(),
  )
  await mail.tick()
  expect(flags()).toEqual([[], []])
  expect(await requests()).toEqual([])
})

test('new UIDs: what came of late is looked at again and nothing is taken twice or lost', async () => {
  await add('hello')
  await mail.tick()
  await add('menu')
  inbox.uidValidity = 8
  for (const one of inbox.mails) one.uid += 100
  inbox.mails.push({ uid: 999, raw: await write('too old'), arrived: new Date('2026-10-01'), flags: new Set() })
  await mail.tick()
  expect(await requests()).toEqual(['hello', 'menu'])
  expect(await progress()).toMatchObject({ uid_validity: '8' })
})

test('at its first tick a mailbox is read from yesterday on', async () => {
  await add('long ago', {}, 3 * 86_400_000)
  await add('hello')
  await mail.tick()
  expect(await requests()).toEqual(['hello'])
})

test('two ticks at once read a mailbox once', async () => {
  await add('hello')
  const reached = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  inbox.beforeFlag = async () => {
    reached.resolve()
    await goOn.promise
  }
  const first = mail.tick()
  await reached.promise
  expect(await mail.tick()).toEqual({ taken: 0 })
  goOn.resolve()
  expect(await first).toEqual({ taken: 1 })
})

test('killed between accepting and marking: the next tick goes on there, and nothing is answered twice', async () => {
  await add('refresh')
  inbox.beforeFlag = async () => {
    throw new Fault('delivery.unavailable', 'IMAP: gone')
  }
  await expect(mail.tick()).rejects.toMatchObject({ code: 'delivery.unavailable' })
  expect(flags()).toEqual([[]])
  expect(await progress()).toMatchObject({ last_uid: '0' })
  inbox.beforeFlag = async () => {}
  await mail.tick()
  expect(await requests()).toEqual(['refresh'])
  expect(sentTo(alice)).toHaveLength(1)
  expect(flags()).toEqual([['\\Seen']])
})

test('a tick that is told to stop leaves the rest to the next one', async () => {
  for (const text of ['hello', 'menu', 'refresh']) await add(text)
  const stop = new AbortController()
  inbox.beforeFlag = async () => stop.abort()
  expect(await mail.mailbox.fetch(stop.signal)).toEqual({ taken: 1 })
  inbox.beforeFlag = async () => {}
  await mail.tick()
  expect(await requests()).toEqual(['hello', 'menu', 'refresh'])
})

test('the same mail twice, by two ways, is one message', async () => {
  const raw = await write('hello')
  inbox.add(raw, mail.world.pipeline.now())
  inbox.add(
    Buffer.concat([Buffer.from('Received: from a by b; Tue, 24 Nov 2026 09:00:00 +0000\r\n'), raw]),
    mail.world.pipeline.now(),
  )
  await mail.tick()
  expect(await requests()).toEqual(['hello'])
})

test('a mail that cannot be taken is tried four times and holds up nobody for ever', async () => {
  await mail.world.db.database.unsafe(`
    create function refuse() returns trigger language plpgsql as $$ begin raise exception 'broken'; end $$;
    create trigger refuse before insert on requests for each row when (new.content = 'poison') execute function refuse()`)
  await add('poison')
  await add('hello')
  for (let tries = 0; tries < 4; tries += 1) await expect(mail.tick()).rejects.toThrow()
  expect(await requests()).toEqual([])
  await mail.tick()
  expect(await requests()).toEqual(['hello'])
  expect(flags()).toEqual([['\\Flagged'], ['\\Seen']])
})

test('a stranger is pointed elsewhere once a day, with nothing of their mail', async () => {
  const from = { From: 'Bob <bob@elsewhere.example>' }
  for (const id of ['1', '2']) {
    const raw = plainMail(
      { ...from, Subject: 'secret plan', 'Message-ID': `<${id}@e.example>` },
      'secret words',
      mail.world.pipeline.now(),
    )
    await mail.arrive(id === '1' ? raw : await elsewhere.sign(raw))
  }
  const [pointer, ...more] = sentTo('bob@elsewhere.example')
  expect(more).toEqual([])
  expect(pointer?.envelope.from).toBe('')
  expect(pointer?.parsed.text).toContain('https://help.company.com')
  expect(pointer?.raw.toString()).not.toContain('secret')
  mail.world.pipeline.pass(86_400_000)
  await mail.arrive(plainMail({ ...from, 'Message-ID': '<3@e.example>' }, 'again', mail.world.pipeline.now()))
  expect(sentTo('bob@elsewhere.example')).toHaveLength(2)
  expect(await requests()).toEqual([])
})

test('a hundred strangers are pointed in an hour, and no more', async () => {
  const { now } = mail.world.pipeline
  await mail.world.db.database`
    insert into inbox (consumer, source, event, state, finished_at)
    select 'email', 'pointers 2026-11-24T09', n::text, 'finished', now() from generate_series(1, 98) n`
  for (const id of ['1', '2', '3', '4']) {
    inbox.add(plainMail({ From: `p${id}@elsewhere.example`, 'Message-ID': `<p${id}@e.example>` }, 'x', now()), now())
  }
  await mail.tick()
  expect(mail.smtp.received).toHaveLength(2)
})

test('too many mails of one person in an hour are said no to, once, and taken again after it', async () => {
  await mail.world.db.database`
    insert into inbox (consumer, source, event, state, finished_at)
    select 'email', ${`mails 2026-11-24T09 ${await hashOf(alice)}`}, n::text, 'finished', now() from generate_series(1, 60) n`
  for (const text of ['hello', 'menu']) await mail.arrive(await write(text))
  expect(await requests()).toEqual([])
  expect(sentTo(alice)).toHaveLength(1)
  expect(said(alice)).toContain('2026-11-24 10:00 UTC')
  mail.world.pipeline.pass(3_600_000)
  await mail.arrive(await write('refresh'))
  expect(await requests()).toEqual(['refresh'])
})

const hashOf = async (text: string) =>
  Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('hex')

test('a mail that is one too many is said no to, and holds up nobody’s behind it', async () => {
  await mail.world.db.database`
    insert into requests (id, caller, identity, channel, body_hash, content, event, target, traceparent)
    select gen_random_uuid(), 'x', ${`email:${alice}`}, 'email', '', 'waits', '{}', '{}', '' from generate_series(1, 30)`
  await add('one too many')
  await add('refresh', { From: jane })
  expect(await mail.tick()).toEqual({ taken: 1 })
  expect(said(alice)).toContain('more messages waiting than I can take')
  expect((await requests()).filter((content) => content !== 'waits')).toEqual(['refresh'])
  expect(flags()).toEqual([['\\Seen'], ['\\Seen']])
})

test('a mail without words of its own, or with too many, is said no to', async () => {
  await mail.arrive(await write('> only a quote'))
  expect(said(alice)).toContain('no words of yours')
  await mail.arrive(await write('x'.repeat(20_000)))
  expect(said(alice)).toContain('longer than I can read')
  expect(await requests()).toEqual([])
})

test('somebody else’s approval is given by a reply of theirs, once, and by nobody else', async () => {
  for (const text of ['I need 40 seats of Figma on CC-1234', 'we design the new web shop', jane, 'yes'])
    await mail.arrive(await write(text))
  expect(said(jane)).toContain(`${alice} asks for your decision`)
  const asked = sentTo(jane).at(-1)?.parsed.messageId ?? ''
  await mail.arrive(await write('yes', { 'In-Reply-To': asked }))
  await answers('I would have to ask first, would I not?', jane)
  expect(said(jane)).toContain('could not read a decision')
  const decided = () => mail.world.db.database`select state from approvals where continuation is not null`
  expect(await decided()).toMatchObject([{ state: 'open' }])
  const approve = { From: jane, 'In-Reply-To': asked }
  await mail.arrive(await write('Approve.\n\nThanks,\nJane\n\nOn Tue, 24 Nov 2026, Agent wrote:\n> no', approve))
  expect((await decided())[0]?.['state']).not.toBe('open')
  const [decision] = await mail.world.db.database`select caller, speaker from requests where approval is not null`
  expect(decision).toEqual({ caller: jane, speaker: jane })
  expect(said(alice)).toMatch(/REQ\d+/)
  await mail.arrive(await write('no', approve))
  expect(said(jane)).toContain('decided before')
})

test('a reply presses only what was sent to its own writer', async () => {
  for (const text of ['refresh', 'yes', '3']) await mail.arrive(await write(text))
  const confirmation = { 'In-Reply-To': sentTo(alice).at(-1)?.parsed.messageId ?? '' }
  const buttons = () =>
    mail.world.db.database`select button is not null as pressed from requests order by accepted desc limit 1`
  await mail.arrive(await write('yes', { ...confirmation, From: jane }))
  expect(await buttons()).toEqual([{ pressed: false }])
  expect(mail.world.mock.tickets()).toEqual([])
  await mail.arrive(await write('yes', confirmation))
  expect(await buttons()).toEqual([{ pressed: true }])
  expect(mail.world.mock.tickets()).toHaveLength(1)
  // The same yes to the same question, from a client that gives it a new name.
  await mail.arrive(await write('yes', confirmation))
  expect(mail.world.mock.tickets()).toHaveLength(1)
})

test('while the DNS says nothing mails wait, in their order; after an hour they are left for a person', async () => {
  await add('hello')
  const { database } = mail.world.db
  const silent = createMailbox({
    ...mail.parts,
    resolve: async () => {
      throw Object.assign(new Error('away'), { code: 'ETIMEOUT' })
    },
  })
  const tick = () => silent.fetch(AbortSignal.timeout(20_000))
  await tick()
  await tick()
  expect(await progress()).toMatchObject({ last_uid: '0' })
  expect(flags()).toEqual([[]])
  await database`update inbox set received_at = now() - interval '2 h' where source = 'mail later'`
  await tick()
  expect(flags()).toEqual([['\\Flagged']])
  expect(mail.smtp.received).toEqual([])
  await add('menu')
  await mail.tick()
  expect(await requests()).toEqual(['menu'])
})

test('a mail that is larger than is read is left for a person', async () => {
  inbox.add(Buffer.alloc(17 * 1_048_576, 'x'), mail.world.pipeline.now())
  await add('hello')
  await mail.tick()
  expect(await requests()).toEqual(['hello'])
  expect(flags()).toEqual([['\\Flagged'], ['\\Seen']])
})

test('a person with too many messages that wait is told so, and holds up nobody', async () => {
  await add('menu')
  await add('hello', { From: jane })
  const busy = createMailbox({
    ...mail.parts,
    receive: (incoming) => {
      if (incoming.person === alice) return Promise.reject(new Fault('request.too-many', 'test', { retryAfter: 5 }))
      return mail.parts.receive(incoming)
    },
  })
  await busy.fetch(AbortSignal.timeout(20_000))
  expect(said(alice)).toContain('more messages waiting than I can take')
  expect(await requests()).toEqual(['hello'])
})
