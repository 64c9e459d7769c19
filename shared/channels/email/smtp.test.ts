import { createServer } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { composeAnswer, type NewMail } from './compose-mail.ts'
import { sendMail } from './smtp.ts'
import { startSmtp, type TestSmtp } from './testing/smtp-server.ts'

let smtp: TestSmtp
beforeEach(async () => {
  smtp = await startSmtp()
})
afterEach(() => smtp.close())

const now = new Date('2026-11-24T09:00:00Z')
const mail: NewMail = {
  ...{ messageId: '<a.b@company.com>', to: 'alice@company.com', subject: 'Re: Laptop', auto: 'auto-replied' },
  ...{ inReplyTo: '<q@company.com>', references: ['<root@company.com>', '<q@company.com>'], text: '**Yes** <b>&amp;' },
}
const server = (more: { port?: number; tls?: 'none' | 'upgrade' | 'at-once' } = {}) => ({
  from: { name: 'Agent', address: 'agent@company.com' },
  smtp: { host: '127.0.0.1', port: smtp.port, tls: 'none' as const, login: null, ...more },
})
const send = (
  new_: Partial<NewMail> = {},
  more: Parameters<typeof server>[0] = {},
  signal = AbortSignal.timeout(10_000),
) => sendMail(server(more), { ...mail, ...new_ }, { bounce: 'to us', signal, now })

test('a mail says what it answers, that no person wrote it, and carries both kinds of text', async () => {
  await send()
  const [got] = smtp.received
  expect(got?.envelope).toEqual({ from: 'agent@company.com', to: ['alice@company.com'] })
  const head = got?.raw.toString().split('\r\n\r\n')[0] ?? ''
  for (const line of [
    ...[
      'From: Agent <agent@company.com>',
      'To: alice@company.com',
      'Subject: Re: Laptop',
      'Message-ID: <a.b@company.com>',
    ],
    ...[
      'In-Reply-To: <q@company.com>',
      'References: <root@company.com> <q@company.com>',
      'Auto-Submitted: auto-replied',
    ],
    ...['X-Self-Service-Agent: answer', 'Date: Tue, 24 Nov 2026 09:00:00 +0000'],
  ]) {
    expect(head.split('\r\n')).toContain(line)
  }
  expect(got?.parsed.text?.trim()).toBe('Yes <b>&amp;')
  expect(got?.parsed.html).toContain('<strong>Yes</strong> &lt;b&gt;&amp;amp;')
})

test('nothing that is written into a mail becomes a header, a recipient or a command', async () => {
  const hostile = 'x\r\nBcc: eve@evil.example\r\n\r\n.\r\nRCPT TO:<eve@evil.example>'
  await send({
    subject: hostile,
    text: `a\r\n.\r\nRCPT TO:<eve@evil.example>\r\nQUIT`,
    references: [hostile],
    inReplyTo: hostile,
  })
  expect(smtp.received).toHaveLength(1)
  expect(smtp.received[0]?.envelope.to).toEqual(['alice@company.com'])
  expect(smtp.received[0]?.parsed.bcc).toBeUndefined()
  const head = smtp.received[0]?.raw.toString().split('\r\n\r\n')[0] ?? ''
  expect(head.split('\r\n').filter((line) => /^(bcc|rcpt)/i.test(line))).toEqual([])
  for (const to of [
    'a@b.example, eve@evil.example',
    'alice@company.com\r\nBcc: x@y.example',
    '<alice@company.com> SIZE=1',
    '',
  ]) {
    await expect(send({ to })).rejects.toMatchObject({ code: 'delivery.refused' })
  }
})

test.each([
  ['unavailable', 'delivery.unavailable', 0],
  ['refused', 'delivery.refused', 0],
  ['refused as a whole', 'delivery.refused', 0],
  ['lost', 'delivery.unknown', 1],
  ['broken off', 'delivery.unknown', 0],
] as const)('a server that plays %s: %s', async (play, code, received) => {
  smtp.plays.push(play)
  await expect(send()).rejects.toMatchObject({ code })
  expect(smtp.received).toHaveLength(received)
})

test('no server, one that says nothing in time, and one that hangs up: nothing was sent', async () => {
  await smtp.close()
  await expect(send()).rejects.toMatchObject({ code: 'delivery.unavailable' })
  const silent = createServer((socket) => socket.on('error', () => {}))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const address = silent.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await expect(send({}, { port }, AbortSignal.timeout(200))).rejects.toMatchObject({ code: 'delivery.unavailable' })
  silent.close()
  smtp = await startSmtp()
})

test('without STARTTLS, or with a certificate that nobody signed, nothing is said', async () => {
  await expect(send({}, { tls: 'upgrade' })).rejects.toMatchObject({ code: 'delivery.unavailable' })
  const other = await startSmtp({ tls: true })
  await expect(send({}, { tls: 'upgrade', port: other.port })).rejects.toMatchObject({ code: 'delivery.unavailable' })
  expect([...smtp.received, ...other.received]).toEqual([])
  await other.close()
})

const outgoing = {
  ...{ id: '11111111-1111-4111-8111-111111111111', turn: '22222222-2222-4222-8222-222222222222', session: 's' },
  ...{
    person: 'alice@company.com',
    thread: 'alice@company.com/abc',
    agent: 'x',
    text: 'Which one?',
    offer: null,
    origin: null,
  },
}

test('choices that the text does not list are listed, and an approval asks for a word', () => {
  const choices = [
    { title: 'One', reply: 'One' },
    { title: 'Two', reply: 'Two' },
  ]
  const text = (offer: Parameters<typeof composeAnswer>[0]['offer'], said = 'Which one?') =>
    composeAnswer({ ...outgoing, text: said, offer }, 'company.com').text
  expect(text({ kind: 'choices', choices })).toContain('1. One\n2. Two')
  expect(text({ kind: 'choices', choices }, 'One or two?')).toBe('One or two?')
  expect(text({ kind: 'approval', id: 'a', expiresAt: '' })).toContain('Reply with **yes** or **no**.')
})

test('an answer goes to the address of its thread, under its subject, and says which files were not taken', () => {
  const context = {
    messageId: '<q@x>',
    references: ['<r@x>'],
    subject: 'Laptop',
    notTaken: [{ name: 'a.exe', why: 'no' }],
  }
  const answer = composeAnswer(
    { ...outgoing, person: 'other@company.com', origin: { message: 'm', context } },
    'company.com',
  )
  expect(answer).toMatchObject({
    ...{ to: 'alice@company.com', subject: 'Re: Laptop', inReplyTo: '<q@x>', references: ['<r@x>', '<q@x>'] },
    ...{ auto: 'auto-replied', text: expect.stringContaining('- a.exe: no') },
    messageId: `<${outgoing.id}.${outgoing.turn}@company.com>`,
  })
  expect(composeAnswer(outgoing, 'company.com')).toMatchObject({ auto: 'auto-generated', inReplyTo: null })
})
