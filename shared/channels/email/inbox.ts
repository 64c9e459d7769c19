import { ImapFlow } from 'imapflow'
import { Fault } from '../../errors/fault.ts'
import type { ServerSettings } from './settings.ts'

/** A mailbox that is open: what the IMAP server has, in the order of its UIDs. */
export interface Inbox {
  /** UIDs mean the same only while this is the same (RFC 9051, 2.3.1.1). */
  uidValidity: number
  /** No mail that was there when it was opened has a higher one. */
  highestUid: number
  /** UIDs above `after`, of mails that came on `since`'s day or later, lowest first. */
  list(options: { after: number; since: Date | null }): Promise<number[]>
  /** A mail's size and, where that is within `limit` bytes, the mail; null: it was removed meanwhile. */
  read(uid: number, limit: number): Promise<{ size: number; raw: Buffer | null } | null>
  /** Sets a flag that other readers of the mailbox see. */
  flag(uid: number, flag: '\\Seen' | '\\Flagged'): Promise<void>
  close(): Promise<void>
}

/**
 * Opens a mailbox over IMAP.
 * @throws Fault `delivery.unavailable` here and from each of its functions
 */
export async function openInbox(server: ServerSettings, mailbox: string, signal: AbortSignal): Promise<Inbox> {
  const client = new ImapFlow({
    ...{ host: server.host, port: server.port, secure: server.tls === 'at-once', logger: false, disableAutoIdle: true },
    ...(server.tls === 'at-once' ? {} : { doSTARTTLS: server.tls === 'upgrade' }),
    ...(server.login === null ? {} : { auth: { user: server.login.user, pass: server.login.password } }),
    ...{ connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 },
    // Beyond the largest mail that is read, nothing is.
    ...{ maxLiteralSize: 64 * 1_048_576, maxResponseSize: 65 * 1_048_576 },
  })
  // What happens between two commands is told to the next one.
  client.on('error', () => {})
  const cut = () => client.close()
  signal.addEventListener('abort', cut, { once: true })
  const asked = async <Result>(ask: () => Promise<Result>): Promise<Result> => {
    try {
      return await ask()
    } catch (cause) {
      const { code, responseStatus } = Object(cause) as { code?: unknown; responseStatus?: unknown }
      const detail = `IMAP: ${String(responseStatus ?? code ?? 'the connection broke')}`
      throw new Fault('delivery.unavailable', detail, { cause })
    }
  }
  const opened = await asked(async () => {
    await client.connect()
    return await client.mailboxOpen(mailbox)
  }).catch((error: unknown) => {
    signal.removeEventListener('abort', cut)
    client.close()
    throw error
  })
  return {
    uidValidity: Number(opened.uidValidity),
    highestUid: Number(opened.uidNext) - 1,
    list: ({ after, since }) =>
      asked(async () => {
        const query = { uid: `${after + 1}:*`, ...(since === null ? {} : { since }) }
        const found = (await client.search(query, { uid: true })) || []
        // "5:*" names the last one even where it is below 5 (RFC 9051, 9, seq-range).
        return found.filter((uid) => uid > after).sort((one, other) => one - other)
      }),
    read: (uid, limit) =>
      asked(async () => {
        const about = await client.fetchOne(String(uid), { uid: true, size: true }, { uid: true })
        if (about === false) return null
        const size = about.size ?? 0
        if (size > limit) return { size, raw: null }
        // PEEK is what imapflow uses: reading alone sets no \Seen.
        const mail = await client.fetchOne(String(uid), { uid: true, source: true }, { uid: true })
        return mail === false || mail.source === undefined ? null : { size, raw: mail.source }
      }),
    flag: (uid, flag) =>
      asked(async () => {
        await client.messageFlagsAdd(String(uid), [flag], { uid: true })
      }),
    async close() {
      signal.removeEventListener('abort', cut)
      if (client.usable) await client.logout().catch(() => client.close())
      else client.close()
    },
  }
}
