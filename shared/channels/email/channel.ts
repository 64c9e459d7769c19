import type { Channel } from '../channel.ts'

const sender = ['MAIL_FROM', 'SMTP_HOST', 'SMTP_PORT', 'SMTP_USER', 'SMTP_PASSWORD'] as const
const mailbox = [
  ...['IMAP_HOST', 'IMAP_PORT', 'IMAP_USER', 'IMAP_PASSWORD', 'IMAP_MAILBOX'],
  ...['MAIL_ALIASES', 'MAIL_DOMAINS', 'MAIL_AUTHSERV_ID', 'MAIL_BORDER_HOST', 'MAIL_POINTER'],
  ...['S3_BUCKET', 'S3_REGION', 'S3_ENDPOINT', 'S3_PATH_STYLE', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'],
  'ATTACHMENT_LIMIT',
] as const

/** Mail: in by IMAP at a tick, out by SMTP. See docs/channels/email.md. */
export const email: Channel = {
  name: 'email',
  configured: ({ MAIL_FROM }) => Boolean(MAIL_FROM),
  // The mailbox sends, too: what it did not take, it says.
  reads: { sender, mailbox: [...sender, ...mailbox] },
  reach: (identities) => identities.find((one) => one.startsWith('email:'))?.slice('email:'.length) ?? null,
  async openSender(environment, parts) {
    const [{ readMailSettings }, { openMailSender }] = await Promise.all([
      import('./settings.ts'),
      import('./sender.ts'),
    ])
    return openMailSender(readMailSettings(environment), parts)
  },
  async openMailbox(environment, parts) {
    const { openMailMailbox } = await import('./open-mailbox.ts')
    return openMailMailbox(environment, parts)
  },
}
