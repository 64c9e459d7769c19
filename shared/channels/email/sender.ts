import type { Outgoing, Sender, SenderParts } from '../channel.ts'
import { composeAnswer } from './compose-mail.ts'
import type { MailSettings } from './settings.ts'
import { sendMail } from './smtp.ts'

/**
 * Sends answers as mails. SMTP cannot be asked what it has: a delivery whose end is unknown is sent again under the same
 * Message-ID, which many mail stores drop as the one that they have.
 */
export function openMailSender(settings: MailSettings, parts: Pick<SenderParts, 'now'>): Sender {
  const domain = settings.from.address.slice(settings.from.address.indexOf('@') + 1)
  return {
    capabilities: { buttons: false, threads: true, longest: longestMail, markup: 'html' },
    async send(outgoing: Outgoing, signal: AbortSignal) {
      const mail = composeAnswer(outgoing, domain)
      await sendMail(settings, mail, { bounce: 'to us', signal, now: parts.now() })
      return mail.messageId
    },
  }
}

/** Characters: no client minds as many, and no answer has them. */
export const longestMail = 200_000
