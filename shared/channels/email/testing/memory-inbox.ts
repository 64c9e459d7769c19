import type { Inbox } from '../inbox.ts'

/** A mailbox in this process, with what RFC 9051 says of UIDs (2.3.1.1), for tests of what is done with its mails. */
export interface MemoryInbox {
  uidValidity: number
  mails: { uid: number; raw: Buffer; arrived: Date; flags: Set<string> }[]
  /** UIDs are never given again, and go up. */
  add(raw: Buffer | string, arrived: Date): number
  open(): Promise<Inbox>
  /** Awaited before each flag is set. */
  beforeFlag: () => Promise<void>
  /** How often a mail was read. */
  reads: number
}

export function createMemoryInbox(): MemoryInbox {
  let next = 1
  const inbox: MemoryInbox = {
    uidValidity: 7,
    mails: [],
    reads: 0,
    beforeFlag: async () => {},
    add(raw, arrived) {
      const uid = next
      next += 1
      inbox.mails.push({ uid, raw: Buffer.from(raw), arrived, flags: new Set() })
      return uid
    },
    open: async () => ({
      uidValidity: inbox.uidValidity,
      highestUid: next - 1,
      // SINCE disregards the time of the day (RFC 9051, 6.4.4).
      list: async ({ after, since }) =>
        inbox.mails
          .filter(({ uid, arrived }) => uid > after && (since === null || day(arrived) >= day(since)))
          .map(({ uid }) => uid)
          .sort((one, other) => one - other),
      read: async (uid, limit) => {
        inbox.reads += 1
        const mail = inbox.mails.find((one) => one.uid === uid)
        if (mail === undefined) return null
        const size = mail.raw.byteLength
        return { size, raw: size > limit ? null : mail.raw }
      },
      flag: async (uid, flag) => {
        await inbox.beforeFlag()
        inbox.mails.find((one) => one.uid === uid)?.flags.add(flag)
      },
      close: async () => {},
    }),
  }
  return inbox
}

const day = (date: Date): string => date.toISOString().slice(0, 10)
