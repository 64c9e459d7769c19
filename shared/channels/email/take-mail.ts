import { createHash } from 'node:crypto'
import { Fault } from '../../errors/fault.ts'
import { readPick } from '../../flow/pick.ts'
import { take } from '../../store/inbox.ts'
import type { DoorParts } from '../channel.ts'
import type { MailContext } from './compose-mail.ts'
import { type Answered, findAnswered } from './find-answered.ts'
import type { Verdict } from './judge-mail.ts'
import { type FileParts, keepFiles } from './keep-files.ts'
import { cutReferences } from './message-id.ts'
import { type NoticeParts, sendNotice } from './notices.ts'
import { threadOf } from './thread.ts'
import { choicesToList, readDecision } from './words.ts'

export interface TakeParts extends Pick<DoorParts, 'receive' | 'database' | 'now' | 'log'>, NoticeParts, FileParts {}

/** What became of a mail, as the log and the tests have it. */
export type Outcome = 'taken' | 'decided' | 'said no to' | 'pointed' | 'left'

/** Mails that one person is answered in one hour. */
export const mostAnHour = 60

/**
 * Does what follows from a verdict. `key` is the same whenever the same mail comes.
 * @throws Fault whatever may pass: then the mail is looked at again
 */
export async function takeMail(
  parts: TakeParts,
  verdict: Extract<Verdict, { kind: 'message' | 'stranger' }>,
  key: string,
  signal: AbortSignal,
): Promise<Outcome> {
  if (verdict.kind === 'message') return await takeMessage(parts, verdict, key, signal)
  const { mail, pointer } = verdict
  if (!pointer || mail.from === null) return 'left'
  const sent = await sendNotice(parts, { kind: 'pointer' }, { address: mail.from, mail }, signal)
  return sent ? 'pointed' : 'left'
}

async function takeMessage(
  parts: TakeParts,
  { mail, person, proof }: Extract<Verdict, { kind: 'message' }>,
  key: string,
  signal: AbortSignal,
): Promise<Outcome> {
  const answer = (notice: Parameters<typeof sendNotice>[1]) =>
    sendNotice(parts, notice, { address: person, mail }, signal).then(() => 'said no to' as const)
  const until = await overLimit(parts, person, key)
  if (until !== null) return await answer({ kind: 'limit', until })
  const answered = await findAnswered(parts.database, mail, person, parts.domain)
  const said = readReply(mail.text, answered)
  if (said === 'unclear') return await answer({ kind: 'unclear' })
  // As erasing a person looks for it; who vouched for the address stands in the context.
  const caller = person
  const { ids, notTaken } = await keepFiles(parts, { key, person, caller, files: mail.files }, signal)
  const context: MailContext = {
    messageId: mail.hasMessageId ? mail.messageId : null,
    references: cutReferences(mail.references.length > 0 ? mail.references : [mail.inReplyTo ?? []].flat()),
    subject: mail.subject,
    proof: proof.by,
    ...(notTaken.length === 0 ? {} : { notTaken }),
  }
  try {
    const received = await parts.receive({
      ...{ channel: 'email', message: `${person} ${mail.messageId}`, person, caller, own: true },
      ...{ text: said.text, button: said.button, thread: threadOf(person, mail), context, attachments: ids },
    })
    if (received.kind === 'late')
      return await answer({ kind: 'not-taken', says: 'This was decided before, or is over.' })
    return received.kind === 'decided' ? 'decided' : 'taken'
  } catch (error) {
    // Tried again, one person's many mails would hold up everybody's.
    if (!Fault.is(error) || (error.class !== 'terminal' && error.code !== 'request.too-many')) throw error
    parts.log.warn('a mail was not taken as a message', { code: error.code, detail: error.message })
    const says = reasons[error.code] ?? 'It is none that I can work with.'
    return await answer({ kind: 'not-taken', says })
  }
}

const reasons: Readonly<Record<string, string>> = {
  'request.too-large': 'Your mail is longer than I can read. Please say it in fewer words.',
  'request.malformed': 'I found no words of yours in your mail, beside what it quotes.',
  'request.too-many': 'You have more messages waiting than I can take. Please send it again once I have answered.',
  'attachment.unusable': 'A file of your mail could not be kept.',
}

/** What a reply says: the press of a button that mail does not have, the choice behind a number, or its words. */
export function readReply(
  text: string,
  answered: Answered | null,
): 'unclear' | { text: string; button: { approval: string; yes: boolean } | null } {
  if (answered?.offer?.kind === 'approval') {
    const yes = readDecision(text)
    if (yes !== null) return { text: yes ? 'yes' : 'no', button: { approval: answered.offer.id, yes } }
    // What is about somebody else's request must not become a message of one's own.
    return answered.decides ? 'unclear' : { text, button: null }
  }
  const picked = readPick(text)
  if (answered !== null && picked !== null) {
    const listed = choicesToList(answered.content, answered.offer)
    const place = picked.kind === 'number' ? picked.number : picked.place
    const choice = place === 'last' ? listed.at(-1) : listed[place - 1]
    if (choice !== undefined) return { text: choice.reply, button: null }
  }
  return { text, button: null }
}

/** Counts a mail of a person; from when on mails are taken again, where it is one too many. */
async function overLimit({ database, now }: TakeParts, person: string, key: string): Promise<Date | null> {
  const hour = now().toISOString().slice(0, 13)
  const source = `mails ${hour} ${createHash('sha256').update(person).digest('hex')}`
  await take(database, { consumer: 'email', source, event: key })
  const [row] = await database<{ before: number }[]>`
    select count(*)::int as before from inbox where consumer = 'email' and source = ${source} and finished_at <= (
      select finished_at from inbox where consumer = 'email' and source = ${source} and event = ${key})`
  if ((row?.before ?? 0) <= mostAnHour) return null
  return new Date(Date.parse(`${hour}:00:00Z`) + 3_600_000)
}
