import { Resolver } from 'node:dns/promises'
import { openObjectStore } from '../../attachments/object-store.ts'
import { readObjectStoreSettings } from '../../attachments/settings.ts'
import { wholeNumber } from '../../settings/environment.ts'
import type { DoorParts, Environment, Mailbox } from '../channel.ts'
import { openInbox } from './inbox.ts'
import { createMailbox } from './mailbox.ts'
import type { Resolve } from './prove-sender.ts'
import { readMailboxSettings, readMailSettings } from './settings.ts'
import { sendMail } from './smtp.ts'

/** The mailbox of a deployment: its IMAP server, its SMTP server for notices, the DNS, its object store. */
export function openMailMailbox(environment: Environment, parts: DoorParts, resolve: Resolve = askDns()): Mailbox {
  const settings = readMailboxSettings(environment)
  const mail = readMailSettings(environment)
  const bucket = readObjectStoreSettings({ ...environment })
  const limit = wholeNumber({ ...environment }, 'ATTACHMENT_LIMIT', 10_485_760, [1, 104_857_600])
  const { imap, mailbox, proof, pointer } = settings
  return createMailbox({
    ...parts,
    name: `${imap.login?.user ?? ''}@${imap.host}:${imap.port}/${mailbox}`,
    open: (signal) => openInbox(imap, mailbox, signal),
    proof,
    resolve,
    domain: mail.from.address.slice(mail.from.address.indexOf('@') + 1),
    pointer,
    send: (notice, signal) => sendMail(mail, notice, { bounce: 'nowhere', signal, now: parts.now() }),
    files: bucket === null ? null : { store: openObjectStore(bucket), limit },
  })
}

/** The DNS as the machine has it, with less patience: a tick has many mails. */
function askDns(): Resolve {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  return async (domain, type) => (await resolver.resolve(domain, type)) as string[][] | string[]
}
