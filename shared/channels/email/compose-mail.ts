import * as z from 'zod/mini'
import type { Outgoing } from '../channel.ts'
import { cutReferences, messageIdOf } from './message-id.ts'
import { oneLine } from './one-line.ts'
import { renderHtml, renderPlain } from './render-html.ts'
import { addressOf } from './thread.ts'
import { filesInWords, offerInWords } from './words.ts'

/** What a mail of ours consists of, before it is bytes. */
export interface NewMail {
  messageId: string
  to: string
  subject: string
  inReplyTo: string | null
  references: readonly string[]
  /** Whether it answers a mail or comes unasked (RFC 3834, section 5). */
  auto: 'auto-replied' | 'auto-generated'
  /** As agents write. */
  text: string
}

/** The channel's own fields of a message, as its mailbox wrote them and its sender reads them. */
export const mailContext = z.object({
  messageId: z.nullable(z.string()),
  references: z.array(z.string()),
  subject: z.string(),
  /** What proved its sender. */
  proof: z.optional(z.enum(['dkim', 'spf', 'border'])),
  notTaken: z.optional(z.array(z.object({ name: z.string(), why: z.string() }))),
})

export type MailContext = z.infer<typeof mailContext>

/** The mail that an answer becomes. */
export function composeAnswer(outgoing: Outgoing, domain: string): NewMail {
  const parsed = mailContext.safeParse(outgoing.origin?.context)
  const origin = parsed.success ? parsed.data : null
  const words = [outgoing.text, offerInWords(outgoing.text, outgoing.offer), filesInWords(origin?.notTaken)]
  return {
    messageId: messageIdOf(outgoing, domain),
    to: outgoing.thread === null ? outgoing.person : addressOf(outgoing.thread),
    subject: origin === null ? unaskedSubject(outgoing) : replySubject(origin.subject),
    ...repliesTo(origin),
    auto: origin === null ? 'auto-generated' : 'auto-replied',
    text: words.filter((part) => part !== '').join('\n\n'),
  }
}

/** The headers by which clients put an answer below its question (RFC 5322, 3.6.4). */
export function repliesTo(
  origin: { messageId: string | null; references: readonly string[] } | null,
): Pick<NewMail, 'inReplyTo' | 'references'> {
  const messageId = origin?.messageId ?? null
  if (origin === null || messageId === null) return { inReplyTo: null, references: [] }
  return { inReplyTo: messageId, references: cutReferences([...origin.references, messageId]) }
}

export function replySubject(subject: string): string {
  const line = oneLine(subject)
  if (line === '') return 'Re: your message'
  return /^(re|aw|sv|antw|vs|odp)\s*:/i.test(line) ? line : `Re: ${line}`
}

function unaskedSubject({ offer, text }: Outgoing): string {
  const first = oneLine(renderPlain(text).split('\n')[0] ?? '').slice(0, 78)
  if (offer?.kind === 'approval') return `Your decision: ${first}`
  return first === '' ? 'An answer for you' : first
}

/** As nodemailer takes it. */
export function toMessage(mail: NewMail, from: { name: string; address: string }) {
  return {
    from: { name: oneLine(from.name), address: from.address },
    to: { name: '', address: mail.to },
    subject: oneLine(mail.subject),
    messageId: mail.messageId,
    ...(mail.inReplyTo === null ? {} : { inReplyTo: mail.inReplyTo }),
    ...(mail.references.length === 0 ? {} : { references: [...mail.references] }),
    headers: {
      'Auto-Submitted': mail.auto,
      'X-Self-Service-Agent': 'answer',
      // So that Exchange does not answer an answer with somebody's absence.
      'X-Auto-Response-Suppress': 'All',
    },
    text: renderPlain(mail.text),
    html: renderHtml(mail.text),
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}
