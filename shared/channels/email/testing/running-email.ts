import { createWorld, type World } from '../../../../test/world.ts'
import { createLog } from '../../../telemetry/log.ts'
import type { Mailbox, Sender } from '../../channel.ts'
import type { Senders } from '../../senders.ts'
import type { RunningChannel } from '../../testing/case-table.ts'
import { email } from '../channel.ts'
import type { Inbox } from '../inbox.ts'
import { createMailbox, type MailboxParts } from '../mailbox.ts'
import { openMailSender } from '../sender.ts'
import type { MailSettings } from '../settings.ts'
import { sendMail } from '../smtp.ts'
import { createDns, createDomain, type SigningDomain, writeMail } from './sign-mail.ts'
import { type Received, startSmtp, type TestSmtp } from './smtp-server.ts'

export const agent = 'agent@company.com'
export const company: SigningDomain = createDomain('company.com')
export const elsewhere: SigningDomain = createDomain('elsewhere.example', { dmarc: null })
export const dns = createDns([company, elsewhere])

/** Where mails to us lie, and how one gets there. */
export interface Post {
  open(signal: AbortSignal): Promise<Inbox>
  put(raw: Buffer | string, arrived: Date): Promise<void>
  close(): Promise<void>
}

export interface RunningMail {
  world: World
  smtp: TestSmtp
  mailbox: Mailbox
  parts: MailboxParts
  lines: Record<string, unknown>[]
  post: Post
  /** A tick. */
  tick(): Promise<{ taken: number }>
  /** Puts a mail into the mailbox and ticks. */
  arrive(raw: Buffer | string): Promise<void>
  close(): Promise<void>
}

/** The mail channel with a real SMTP server, the mailbox that is given, and the stages behind. */
export async function startMail(openPost: () => Promise<Post>, more: Partial<MailboxParts> = {}): Promise<RunningMail> {
  const smtp = await startSmtp()
  const post = await openPost()
  const from = { name: 'Self-Service Agent', address: agent }
  const settings: MailSettings = { from, smtp: { host: '127.0.0.1', port: smtp.port, tls: 'none', login: null } }
  const parts: { sender: Sender | null } = { sender: null }
  const senders: Senders = {
    names: ['email'],
    reach: (_name, identities) => email.reach?.(identities) ?? null,
    of: async (name) => (name === 'email' ? parts.sender : null),
    close: async () => {},
  }
  const world = await createWorld({ senders })
  const { pipeline, db } = world
  parts.sender = openMailSender(settings, { now: pipeline.now })
  const lines: Record<string, unknown>[] = []
  const log = createLog({}, { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) })
  const ofMailbox: MailboxParts = {
    ...{ database: db.database, now: pipeline.now, receive: pipeline.receive, log },
    ...{ name: 'test', open: post.open, resolve: dns, domain: 'company.com', pointer: 'https://help.company.com' },
    proof: { addresses: [agent], domains: ['company.com'], authservId: null, borderHost: null },
    send: (mail, signal) => sendMail(settings, mail, { bounce: 'nowhere', signal, now: pipeline.now() }),
    files: null,
    ...more,
  }
  const mailbox = createMailbox(ofMailbox)
  const tick = () => mailbox.fetch(AbortSignal.timeout(20_000))
  return {
    ...{ world, smtp, mailbox, parts: ofMailbox, lines, post, tick },
    arrive: async (raw) => {
      await post.put(raw, pipeline.now())
      await tick()
    },
    close: async () => {
      await world.close()
      await smtp.close()
      await post.close()
    },
  }
}

/** A mail as a person's client writes it: unsigned. */
export function plainMail(headers: Record<string, string>, text: string, at: Date): string {
  return writeMail(
    { To: agent, Subject: 'Hello', Date: at.toUTCString(), 'Content-Type': 'text/plain; charset=utf-8', ...headers },
    text,
  )
}

/** The channel as the case table has it. */
export function runningEmail(mail: RunningMail): RunningChannel {
  const { world, smtp } = mail
  const rootOf = (thread: string) => `<root-${thread}@company.com>`
  const inThread = (thread: string) => ({ References: rootOf(thread), 'In-Reply-To': rootOf(thread) })
  const now = () => world.pipeline.now()
  const write = (headers: Record<string, string>, text: string) =>
    plainMail({ From: `Mallory <mallory@company.com>`, ...headers }, text, now())
  let number = 0
  const fresh = () => {
    number += 1
    return { 'Message-ID': `<n${number}@company.com>` }
  }
  return {
    world,
    bring: async ({ person, text, thread, id }) => {
      const headers = { From: `Somebody <${person}>`, 'Message-ID': `<${id}@company.com>`, ...inThread(thread) }
      await mail.arrive(await company.sign(write(headers, text)))
    },
    forgeries(text) {
      const alice = { From: 'Alice <alice.johnson@company.com>' }
      return [
        async () => mail.arrive(write({ ...fresh(), ...alice }, text)),
        async () => mail.arrive(await elsewhere.sign(write({ ...fresh(), ...alice }, text))),
        async () => {
          const signed = await company.sign(write({ ...fresh(), ...alice }, 'hello'))
          await mail.arrive(signed.toString().replace('hello', text))
        },
        async () => {
          const passes = `mx.company.com; dmarc=pass header.from=company.com; dkim=pass header.d=company.com`
          await mail.arrive(write({ 'Authentication-Results': passes, ...fresh(), ...alice }, text))
        },
      ]
    },
    noise() {
      const alice = { From: 'alice.johnson@company.com' }
      const noises: Record<string, string>[] = [
        { From: agent },
        { ...alice, 'X-Self-Service-Agent': 'answer' },
        { ...alice, 'Auto-Submitted': 'auto-replied' },
        { ...alice, Precedence: 'bulk' },
        { ...alice, 'List-Id': '<all.company.com>' },
        { ...alice, 'Return-Path': '<>' },
        { ...alice, To: 'bob@company.com' },
        { ...alice, 'Content-Type': 'multipart/report; report-type=delivery-status; boundary=x' },
      ]
      return noises.map(
        (headers) => async () => mail.arrive(await company.sign(write({ ...fresh(), ...headers }, 'hello'))),
      )
    },
    shown: async (thread) =>
      smtp.received.filter(isIn(rootOf(thread))).map(({ parsed }) => ({ text: parsed.text ?? '', buttons: [] })),
    press: null,
    next: (play) => void smtp.plays.push(play),
    looksUp: false,
    close: mail.close,
  }
}

function isIn(root: string): (mail: Received) => boolean {
  return ({ parsed }) => [parsed.references ?? []].flat().includes(root)
}
