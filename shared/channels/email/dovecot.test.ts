import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeChannel } from '../testing/case-table.ts'
import { openInbox } from './inbox.ts'
import { longestMail } from './sender.ts'
import { type Dovecot, startDovecot } from './testing/dovecot.ts'
import { company, plainMail, type RunningMail, runningEmail, startMail } from './testing/running-email.ts'

/** The channel with a real IMAP server: Debian's dovecot. Run by make test-all, which installs it. */
let dovecot: Dovecot
beforeAll(async () => {
  dovecot = await startDovecot(process.env['TEST_DOVECOT'] ?? 'dovecot')
})
afterAll(() => dovecot.close())

describeChannel('email', longestMail, async () => runningEmail(await startMail(() => dovecot.openPost())))

const now = new Date('2026-11-24T09:00:00Z')
const signal = () => AbortSignal.timeout(20_000)
const write = (id: string, text = 'hello') =>
  company.sign(plainMail({ From: 'alice.johnson@company.com', 'Message-ID': `<${id}@company.com>` }, text, now))
const requests = async ({ world }: RunningMail) =>
  (await world.db.database<{ content: string }[]>`select content from requests order by accepted`).map(
    ({ content }) => content,
  )

test('UIDs, sizes, days and flags are the server’s', async () => {
  const post = await dovecot.openPost()
  const long = `Subject: x\r\n\r\n${'a'.repeat(5_000)}\r\n`
  await post.put('Subject: old\r\n\r\nold\r\n', new Date('2026-11-01T09:00:00Z'))
  await post.put(long, now)
  const inbox = await post.open(signal())
  expect(inbox.highestUid).toBe(2)
  expect(await inbox.list({ after: 0, since: null })).toEqual([1, 2])
  expect(await inbox.list({ after: 0, since: now })).toEqual([2])
  expect(await inbox.list({ after: 2, since: null })).toEqual([])
  expect((await inbox.read(2, 10_000))?.raw?.toString()).toBe(long)
  expect(await inbox.read(2, 1_000)).toMatchObject({ raw: null })
  expect(await inbox.read(9, 1_000)).toBeNull()
  const flags = async () => {
    const lock = await post.client.getMailboxLock(post.mailbox)
    const mail = await post.client.fetchOne('2', { flags: true }, { uid: true })
    lock.release()
    return mail === false ? [] : [...(mail.flags ?? [])].filter((flag) => flag !== '\\Recent')
  }
  expect(await flags()).toEqual([])
  await inbox.flag(2, '\\Seen')
  expect(await flags()).toEqual(['\\Seen'])
  await inbox.close()
  await post.close()
})

test('a mailbox that is made anew has new UIDs: nothing is taken twice, and nothing lost', async () => {
  const post = await dovecot.openPost()
  const mail = await startMail(async () => post)
  await post.put(await write('1'), now)
  await mail.tick()
  await post.client.mailboxClose()
  await post.client.mailboxDelete(post.mailbox)
  await post.client.mailboxCreate(post.mailbox)
  await post.put(await write('1'), now)
  await post.put(await write('2', 'menu'), now)
  await mail.tick()
  await mail.tick()
  expect(await requests(mail)).toEqual(['hello', 'menu'])
  expect(mail.lines.map(({ message }) => message)).toContain(
    'the mailbox has new UIDs; what came of late is looked at again',
  )
  await mail.close()
})

test('a server that goes away in the middle: what it took stays taken, and the next tick goes on', async () => {
  const post = await dovecot.openPost()
  const stop = new AbortController()
  const mail = await startMail(async () => post)
  for (const id of ['1', '2', '3']) await post.put(await write(id, `hello ${id}`), now)
  const take = mail.mailbox.fetch(AbortSignal.any([stop.signal, signal()]))
  const { database } = mail.world.db
  while ((await requests(mail)).length === 0) await database`select pg_sleep(0.02)`
  stop.abort()
  await take.catch(() => {})
  await database`update inbox set lease_until = now() - interval '1 s' where state = 'leased'`
  await mail.tick()
  expect(await requests(mail)).toEqual(['hello 1', 'hello 2', 'hello 3'])
  await mail.close()
})

test('a wrong password, no such mailbox, no server: said as such, without the password', async () => {
  const wrong = { ...dovecot.server, login: { user: 'agent', password: 'guess' } }
  const elsewhere = { ...dovecot.server, port: 1 }
  for (const [server, mailbox] of [
    [wrong, 'INBOX'],
    [dovecot.server, 'None'],
    [elsewhere, 'INBOX'],
  ] as const) {
    const error: unknown = await openInbox(server, mailbox, signal()).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'delivery.unavailable' })
    expect(String(error)).not.toContain('guess')
  }
})

test('where STARTTLS is asked for and not offered, no password is sent', async () => {
  const opening = openInbox({ ...dovecot.server, tls: 'upgrade' }, 'INBOX', signal())
  await expect(opening).rejects.toMatchObject({ code: 'delivery.unavailable' })
})
