import { createHash } from 'node:crypto'
import { toFault } from '../../errors/to-fault.ts'
import type { Database } from '../../store/connect.ts'
import { type Hold, take } from '../../store/inbox.ts'
import { forget } from '../../store/inbox-forget.ts'
import type { Log } from '../../telemetry/log.ts'
import { type NewMail, repliesTo, replySubject } from './compose-mail.ts'
import type { Mail } from './parse-mail.ts'

/** What is said about a mail that was not taken as a message. */
export type Notice =
  | { kind: 'pointer' }
  | { kind: 'limit'; until: Date }
  | { kind: 'not-taken'; says: string }
  | { kind: 'unclear' }

export interface NoticeParts {
  database: Database
  /** Hands it to our SMTP server, with the empty reverse-path. */
  send(mail: NewMail, signal: AbortSignal): Promise<void>
  domain: string
  pointer: string | null
  now(): Date
  log: Log
}

/** Pointers of one hour, to whomever: they go to addresses that anybody may have written into a mail. */
const mostPointers = 100

/**
 * Answers a mail that was not taken. It never holds up the mailbox: what cannot be sent now is logged and left. Pointers
 * go to an address once a day, and quote nothing, not even the subject.
 */
export async function sendNotice(
  parts: NoticeParts,
  notice: Notice,
  to: { address: string; mail: Mail },
  signal: AbortSignal,
): Promise<boolean> {
  const { database, log } = parts
  if (notice.kind === 'pointer' && !(await mayPoint(parts, to.address))) return false
  const once =
    notice.kind === 'limit' ? await takeFirst(database, `limit ${notice.until.toISOString()}`, to.address) : undefined
  if (once === null) return false
  const known = notice.kind !== 'pointer'
  const origin = to.mail.hasMessageId ? { messageId: to.mail.messageId, references: to.mail.references } : null
  try {
    const mail: NewMail = {
      messageId: `<notice.${hash(`${notice.kind} ${to.address} ${to.mail.messageId}`)}@${parts.domain}>`,
      to: to.address,
      subject: known ? replySubject(to.mail.subject) : 'About your mail',
      ...repliesTo(origin),
      auto: 'auto-replied',
      text: textOf(notice, parts.pointer),
    }
    await parts.send(mail, signal)
    return true
  } catch (error) {
    const fault = toFault(error)
    log.warn('a notice was not sent', { notice: notice.kind, code: fault.code, detail: fault.message })
    // Whoever wrote it would wait for ever: with the server away, the mail is looked at again at the next tick.
    if (!known || fault.class !== 'retryable') return false
    if (once !== undefined) await forget(database, once)
    throw fault
  }
}

async function mayPoint({ database, now }: NoticeParts, address: string): Promise<boolean> {
  const day = now().toISOString().slice(0, 10)
  const hour = now().toISOString().slice(0, 13)
  if ((await takeFirst(database, `pointer ${day}`, address)) === null) return false
  await take(database, { consumer: 'email', source: `pointers ${hour}`, event: hash(address) })
  const [row] = await database<{ count: number }[]>`
    select count(*)::int as count from inbox where consumer = 'email' and source = ${`pointers ${hour}`}`
  return (row?.count ?? 0) <= mostPointers
}

/** Null where the same was said to this address before. */
async function takeFirst(database: Database, source: string, address: string): Promise<Hold | null> {
  const taken = await take(database, { consumer: 'email', source, event: hash(address) })
  return taken.kind === 'fresh' ? taken.hold : null
}

function textOf(notice: Notice, pointer: string | null): string {
  if (notice.kind === 'pointer') {
    const where = pointer ?? 'the web page or the chat of your company'
    return [
      'Hello,',
      'a mail with this sender reached me. I could not verify that it came from there, so I did not read it as a request.',
      `If it was yours, please ask me here: ${where}`,
    ].join('\n\n')
  }
  if (notice.kind === 'limit') {
    const until = `${notice.until.toISOString().slice(0, 16).replace('T', ' ')} UTC`
    return `That was more mail than I take in one hour. I did not take this one, nor any until ${until}. Please send it again then.`
  }
  if (notice.kind === 'unclear') {
    return 'I could not read a decision in your reply, so nothing was decided. Please reply with **yes** or **no** alone.'
  }
  return `${notice.says} I did not take your mail; nothing else was done.`
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
