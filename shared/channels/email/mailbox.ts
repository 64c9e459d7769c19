import { createHash } from 'node:crypto'
import { Fault } from '../../errors/fault.ts'
import { toFault } from '../../errors/to-fault.ts'
import { faultPoint } from '../../stage/fault-point.ts'
import { claim, finish, type Hold, release } from '../../store/inbox.ts'
import { advanceMailbox, holdMailbox, keepMailbox, type MailboxHold, releaseMailbox } from '../../store/mailboxes.ts'
import type { Mailbox } from '../channel.ts'
import type { Inbox } from './inbox.ts'
import { judgeMail } from './judge-mail.ts'
import type { Resolve } from './prove-sender.ts'
import type { ProofSettings } from './settings.ts'
import { type Outcome, type TakeParts, takeMail } from './take-mail.ts'

export interface MailboxParts extends TakeParts {
  /** Host and mailbox: what its progress is kept under. */
  name: string
  open(signal: AbortSignal): Promise<Inbox>
  proof: ProofSettings
  resolve: Resolve
}

/** Milliseconds: a mailbox's lease, renewed before each mail, and a mail's own. */
const leaseMs = 60_000
const mailLeaseMs = 30_000

/** Bytes of the largest mail that is read: ten MiB of files as mail writes them, and its words. */
const largest = 16 * 1_048_576

/** Milliseconds of which mails are read where it is not known how far we were: at the very first tick, or by new UIDs. */
const firstMs = 86_400_000
const rereadMs = 7 * 86_400_000

/** Tries of one mail, before it is left aside for a person. */
const mostTries = 4

/** How long a mail waits for a DNS that does not answer. */
const longestWaitMs = 3_600_000

/** A mailbox that is read at a tick, in the order of its UIDs, from where the last tick ended. */
export function createMailbox(parts: MailboxParts): Mailbox {
  return {
    async fetch(signal) {
      const { database, log } = parts
      const hold = await holdMailbox(database, parts.name, leaseMs)
      if (hold === null) return { taken: 0 }
      try {
        const inbox = await parts.open(signal)
        try {
          return { taken: await readOn(parts, inbox, hold, signal) }
        } finally {
          await inbox.close()
        }
      } finally {
        await releaseMailbox(database, hold).catch((error: unknown) => log.warn('mailbox not released', { error }))
      }
    },
  }
}

async function readOn(parts: MailboxParts, inbox: Inbox, hold: MailboxHold, signal: AbortSignal): Promise<number> {
  const { database, now, log } = parts
  const { uidValidity } = inbox
  const known = hold.uidValidity === uidValidity
  if (!known && hold.uidValidity !== 0) log.warn('the mailbox has new UIDs; what came of late is looked at again')
  // By new UIDs nothing is told apart from what was read. What was taken is known by its Message-ID.
  const since = known ? null : new Date(now().getTime() - (hold.uidValidity === 0 ? firstMs : rereadMs))
  const uids = await inbox.list({ after: known ? hold.lastUid : 0, since })
  let taken = 0
  for (const uid of uids) {
    if (signal.aborted || !(await keepMailbox(database, hold, leaseMs))) return taken
    const outcome = await readOne(parts, inbox, uid, signal)
    if (outcome === 'wait') return taken
    if (outcome === 'taken' || outcome === 'decided') taken += 1
    if (!(await advanceMailbox(database, hold, { uidValidity, lastUid: uid }))) return taken
  }
  // What is older than `since` may have higher UIDs; it is passed over as a whole.
  if (!known)
    await advanceMailbox(database, hold, { uidValidity, lastUid: Math.max(inbox.highestUid, uids.at(-1) ?? 0) })
  return taken
}

/** One mail; `wait`: it and those behind it are for a later tick. */
async function readOne(
  parts: MailboxParts,
  inbox: Inbox,
  uid: number,
  signal: AbortSignal,
): Promise<Outcome | 'again' | 'wait'> {
  const { database, log, now } = parts
  const mail = await inbox.read(uid, largest)
  if (mail === null) return 'left'
  if (mail.raw === null) {
    log.warn('a mail is too large to be read, and is left for a person', { uid, bytes: mail.size })
    await inbox.flag(uid, '\\Flagged')
    return 'left'
  }
  const verdict = await judgeMail(mail.raw, { settings: parts.proof, resolve: parts.resolve, now: now() })
  if (verdict.kind === 'nobody' || verdict.kind === 'unreadable') {
    log.info('a mail was left', { uid, verdict: verdict.kind, why: verdict.why })
    return 'left'
  }
  // What is the same mail: its writer's own name for it, whatever its bytes went through.
  const key = keyOf(verdict.kind === 'later' ? mail.raw : `${verdict.mail.from ?? ''} ${verdict.mail.messageId}`)
  const claimed = await claim(database, { consumer: 'email', source: `mail ${verdict.kind}`, event: key }, mailLeaseMs)
  if (claimed.kind === 'leased') return 'wait'
  if (claimed.kind === 'finished') {
    if (verdict.kind === 'message') await inbox.flag(uid, '\\Seen')
    return 'again'
  }
  if (verdict.kind === 'later') return await waitForDns(parts, inbox, uid, claimed.hold)
  if (claimed.attempts > mostTries) {
    log.error('a mail failed again and again, and is left for a person', { uid, attempts: claimed.attempts })
    await inbox.flag(uid, '\\Flagged')
    await finish(database, claimed.hold, null)
    return 'left'
  }
  const outcome = await takeMail(parts, verdict, key, signal).catch(async (error: unknown) => {
    await release(database, claimed.hold)
    const fault = toFault(error)
    log.warn('a mail is tried again at the next tick', { uid, attempts: claimed.attempts, code: fault.code })
    throw new Fault(fault.code, `mail ${uid}: ${fault.message}`, { cause: fault })
  })
  log.info('a mail was read', { uid, verdict: verdict.kind, outcome, ...whyOf(verdict) })
  await faultPoint('mailbox: after accept')
  await finish(database, claimed.hold, null)
  // Only now: until then, whoever looks into the mailbox sees that nobody has read it.
  if (verdict.kind === 'message') await inbox.flag(uid, '\\Seen')
  return outcome
}

/** The row of its first try tells how long it has waited; after an hour it is nobody's, and left for a person. */
async function waitForDns(parts: MailboxParts, inbox: Inbox, uid: number, hold: Hold): Promise<'wait' | 'left'> {
  const { database, log } = parts
  if (await isOlder(parts, hold)) {
    log.error('no DNS said who wrote a mail; it is left for a person', { uid })
    await inbox.flag(uid, '\\Flagged')
    await finish(database, hold, null)
    return 'left'
  }
  await release(database, hold)
  return 'wait'
}

async function isOlder({ database }: MailboxParts, hold: Hold): Promise<boolean> {
  const [row] = await database<{ older: boolean }[]>`
    select received_at < now() - ${longestWaitMs}::int * interval '1 ms' as older from inbox
    where consumer = ${hold.consumer} and source = ${hold.source} and event = ${hold.event}`
  return row?.older ?? false
}

function whyOf(verdict: { kind: string; why?: string }): { why?: string } {
  return verdict.why === undefined ? {} : { why: verdict.why }
}

function keyOf(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex')
}
