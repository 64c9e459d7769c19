import { describeChannel } from '../testing/case-table.ts'
import { longestMail } from './sender.ts'
import { createMemoryInbox } from './testing/memory-inbox.ts'
import { runningEmail, startMail } from './testing/running-email.ts'

// The same against a real IMAP server: dovecot.debian.ts.
describeChannel('email', longestMail, async () => {
  const inbox = createMemoryInbox()
  const put = async (raw: Buffer | string, arrived: Date) => void inbox.add(raw, arrived)
  return runningEmail(await startMail(async () => ({ open: inbox.open, put, close: async () => {} })))
})
