import { isIP } from 'node:net'
import { parseEmail } from '../../identity/email.ts'
import { required, wholeNumber } from '../../settings/environment.ts'
import type { Environment } from '../channel.ts'

/** A server of ours, and how it is spoken to. */
export interface ServerSettings {
  host: string
  port: number
  /** `at-once`: TLS from the first byte; `upgrade`: by STARTTLS or not at all; `none`: plain, on this machine alone. */
  tls: 'at-once' | 'upgrade' | 'none'
  /** null: it asks for none. */
  login: { user: string; password: string } | null
}

/** What sending needs. */
export interface MailSettings {
  from: { name: string; address: string }
  smtp: ServerSettings
}

/** What says who wrote a mail, and whose mails are messages. */
export interface ProofSettings {
  /** Addresses by which mail reaches us, ours first. */
  addresses: readonly string[]
  /** Domains whose people are served. */
  domains: readonly string[]
  /** Authserv-id of our border, whose word is taken; null: nobody's. */
  authservId: string | null
  /** The name by which our border signs its Received headers; null: SPF proves nothing here. */
  borderHost: string | null
}

/** What receiving needs. */
export interface MailboxSettings {
  imap: ServerSettings
  mailbox: string
  proof: ProofSettings
  /** Where somebody whose mail proves nothing is sent instead, in words; null: nowhere in particular. */
  pointer: string | null
}

/**
 * Reads MAIL_FROM, SMTP_HOST, SMTP_PORT (587; 465 speaks TLS at once), SMTP_USER and SMTP_PASSWORD.
 * @throws Error whose one sentence says what to set
 */
export function readMailSettings(environment: Environment): MailSettings {
  const from = readFrom(required(environment, 'MAIL_FROM', "the system's own mail address"))
  return { from, smtp: readServer(environment, 'SMTP', { port: 587, tlsPort: 465 }) }
}

/**
 * Reads IMAP_HOST, IMAP_PORT (993; any other speaks STARTTLS), IMAP_USER, IMAP_PASSWORD, IMAP_MAILBOX (INBOX),
 * MAIL_ALIASES, MAIL_DOMAINS (that of MAIL_FROM), MAIL_AUTHSERV_ID, MAIL_BORDER_HOST and MAIL_POINTER.
 * @throws Error whose one sentence says what to set
 */
export function readMailboxSettings(environment: Environment): MailboxSettings {
  const { address } = readFrom(required(environment, 'MAIL_FROM', "the system's own mail address"))
  const aliases = readList(environment, 'MAIL_ALIASES').map((text) => {
    const alias = parseEmail(text)
    if (alias === null) throw new Error(`MAIL_ALIASES names "${text}", which is no mail address.`)
    return alias
  })
  const domains = readList(environment, 'MAIL_DOMAINS')
  const strange = domains.find((domain) => parseEmail(`a@${domain}`) === null)
  if (strange !== undefined) throw new Error(`MAIL_DOMAINS names "${strange}", which is no domain.`)
  return {
    imap: readServer(environment, 'IMAP', { port: 993, tlsPort: 993 }),
    mailbox: environment['IMAP_MAILBOX'] || 'INBOX',
    proof: {
      addresses: [address, ...aliases],
      domains: domains.length > 0 ? domains : [address.slice(address.indexOf('@') + 1)],
      authservId: environment['MAIL_AUTHSERV_ID']?.toLowerCase() || null,
      borderHost: environment['MAIL_BORDER_HOST']?.toLowerCase() || null,
    },
    pointer: environment['MAIL_POINTER'] || null,
  }
}

function readFrom(text: string): MailSettings['from'] {
  const [, name = '', bracketed = text] = /^\s*"?([^"<>\r\n]*?)"?\s*<([^<>]+)>\s*$/.exec(text) ?? []
  const address = parseEmail(bracketed)
  if (address === null) throw new Error('MAIL_FROM is no mail address, such as "Service Desk <agent@example.com>".')
  return { name, address }
}

function readServer(
  environment: Environment,
  prefix: 'SMTP' | 'IMAP',
  ports: { port: number; tlsPort: number },
): ServerSettings {
  const host = required(environment, `${prefix}_HOST`, `the ${prefix} server`)
  const port = wholeNumber(environment, `${prefix}_PORT`, ports.port, [1, 65_535])
  const [user, password] = [environment[`${prefix}_USER`], environment[`${prefix}_PASSWORD`]]
  if (Boolean(user) !== Boolean(password)) {
    throw new Error(`${prefix}_USER and ${prefix}_PASSWORD go together: set both, or neither.`)
  }
  const tls = port === ports.tlsPort ? 'at-once' : isLoopback(host) ? 'none' : 'upgrade'
  return { host, port, tls, login: user && password ? { user, password } : null }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function readList(environment: Environment, name: string): string[] {
  return (environment[name] ?? '').split(',').flatMap((entry) => entry.trim().toLowerCase() || [])
}
