import type { Mail } from './parse-mail.ts'

/** Our own mark on whatever we send: what comes back with it is a loop. */
export const ownHeader = 'x-self-service-agent'

/** Why a mail is nobody's message: such a one is never answered (RFC 3834, section 2). Null: a person wrote it. */
export function whyAutomatic(mail: Mail, ownAddresses: readonly string[]): string | null {
  const all = (name: string) => mail.headers.filter(({ key }) => key === name).map(({ value }) => value.toLowerCase())
  const has = (name: string) => all(name).length > 0
  if (has(ownHeader)) return 'our own'
  if (mail.from !== null && ownAddresses.includes(mail.from)) return 'our own'
  // An empty reverse-path (RFC 5321, 4.5.5) and reports (RFC 6522): bounces, receipts, feedback.
  if (all('return-path').some((path) => path.replace(/\s/g, '') === '<>')) return 'a bounce'
  if (all('content-type').some((type) => type.startsWith('multipart/report'))) return 'a report'
  if (has('x-failed-recipients')) return 'a bounce'
  if (mail.from !== null && /^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)[@+]/.test(mail.from)) {
    return 'a program'
  }
  // RFC 3834, section 5: anything but `no` was not written by hand.
  if (all('auto-submitted').some((value) => !/^no\b/.test(value))) return 'automatic'
  if (['x-autoreply', 'x-autorespond', 'x-autorespond-from', 'x-mail-autoreply'].some(has)) return 'automatic'
  if (all('x-auto-response-suppress').some((value) => /\b(all|autoreply|oof)\b/.test(value))) return 'automatic'
  if (all('precedence').some((value) => /^(bulk|list|junk|auto_reply)\b/.test(value))) return 'bulk'
  // RFC 2369 and RFC 2919.
  if (mail.headers.some(({ key }) => key.startsWith('list-'))) return 'a list'
  if (all('content-type').some((type) => type.startsWith('text/calendar'))) return 'an appointment'
  return null
}
