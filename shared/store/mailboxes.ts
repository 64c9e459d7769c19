import type { Sql } from './connect.ts'

/** The right to read a mailbox, and how far it was read; writes under it count only while the row has this fence. */
export interface MailboxHold {
  mailbox: string
  fence: number
  /** 0: it was never read. */
  uidValidity: number
  lastUid: number
}

/** Takes a mailbox for `leaseMs`; null where another tick reads it. */
export async function holdMailbox(sql: Sql, mailbox: string, leaseMs: number): Promise<MailboxHold | null> {
  const [row] = await sql<{ fence: number; uid_validity: string; last_uid: string }[]>`
    insert into mailboxes (mailbox, uid_validity, last_uid, lease_until, fence)
    values (${mailbox}, 0, 0, clock_timestamp() + ${leaseMs}::int * interval '1 ms', 1)
    on conflict (mailbox) do update
      set fence = mailboxes.fence + 1, lease_until = excluded.lease_until
      where mailboxes.lease_until is null or mailboxes.lease_until < clock_timestamp()
    returning fence, uid_validity, last_uid`
  // The driver reads a bigint as text.
  if (row === undefined) return null
  return { mailbox, fence: row.fence, uidValidity: Number(row.uid_validity), lastUid: Number(row.last_uid) }
}

/** Prolongs it; false where another tick has it by now. */
export async function keepMailbox(sql: Sql, hold: MailboxHold, leaseMs: number): Promise<boolean> {
  const { count } = await sql`
    update mailboxes set lease_until = clock_timestamp() + ${leaseMs}::int * interval '1 ms'
    where mailbox = ${hold.mailbox} and fence = ${hold.fence} and lease_until is not null`
  return count > 0
}

/** Notes how far it was read; false where another tick has it by now. */
export async function advanceMailbox(
  sql: Sql,
  hold: MailboxHold,
  to: { uidValidity: number; lastUid: number },
): Promise<boolean> {
  const { count } = await sql`
    update mailboxes set uid_validity = ${to.uidValidity}, last_uid = ${to.lastUid}
    where mailbox = ${hold.mailbox} and fence = ${hold.fence} and lease_until is not null`
  return count > 0
}

export async function releaseMailbox(sql: Sql, hold: MailboxHold): Promise<void> {
  await sql`update mailboxes set lease_until = null where mailbox = ${hold.mailbox} and fence = ${hold.fence}`
}
