import { createHash } from 'node:crypto'
import type { Mail } from './parse-mail.ts'

/**
 * The thread of a mail: its writer's address, where the answer goes, and what its first mail was. The address is a part
 * of it, so that nobody's mail can stand in another's queue.
 */
export function threadOf(person: string, mail: Pick<Mail, 'messageId' | 'inReplyTo' | 'references'>): string {
  const root = mail.references[0] ?? mail.inReplyTo ?? mail.messageId
  return `${person}/${createHash('sha256').update(root).digest('hex').slice(0, 24)}`
}

/** Where a thread's answers go. */
export function addressOf(thread: string): string {
  return thread.split('/')[0] ?? ''
}
