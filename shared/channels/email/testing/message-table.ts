import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ProofSettings } from '../settings.ts'
import { createDns, createDomain } from './sign-mail.ts'

/** What becomes of a mail: a kind of verdict, and what its text or reason says. */
type Fate =
  | { message: string | RegExp; subject?: string; files?: string[] }
  | { nobody: string }
  | { stranger: RegExp; pointer?: boolean }
  | { later: true }
  | { unreadable: RegExp }

export interface Row {
  name: string
  /** The bytes that lie in the mailbox. */
  bytes(): Promise<Buffer> | Buffer
  settings?: Partial<ProofSettings>
  fate: Fate
  /** Somebody tries to be believed who must not be. */
  hostile?: true
}

export const now = new Date('2026-11-24T09:00:00Z')
const company = createDomain('company.com', { spf: 'v=spf1 ip4:203.0.113.9 -all' })
const elsewhere = createDomain('elsewhere.example')
const lax = createDomain('lax.example', { dmarc: null })
export const tableDns = createDns([company, elsewhere, lax], ['dark.example'])

/** As mails are in a mailbox: with the line ends of the wire. */
function read(name: string): string {
  const bytes = readFileSync(join(import.meta.dirname, 'messages', `${name}.eml`))
  return bytes.toString('latin1').replace(/\r?\n/g, '\r\n')
}

const raw = (name: string) => () => Buffer.from(read(name), 'latin1')
const signed =
  (name: string, options: Parameters<typeof company.sign>[1] = {}, change = (text: string) => text, by = company) =>
  async () => {
    const bytes = await by.sign(Buffer.from(read(name), 'latin1'), options)
    return Buffer.from(change(bytes.toString('latin1')), 'latin1')
  }
const message = (name: string, text: string | RegExp, more: { subject?: string; files?: string[] } = {}): Row => ({
  ...{ name, bytes: signed(name), fate: { message: text, ...more } },
})
const nobody = (name: string, why: string): Row => ({ name, bytes: signed(name), fate: { nobody: why } })
const border = { authservId: 'mx.company.com' }
const hop = { borderHost: 'mx.company.com' }
const hostile = (
  name: string,
  bytes: Row['bytes'],
  why: RegExp,
  more: { settings?: Partial<ProofSettings>; pointer?: boolean } = {},
): Row => ({
  ...{ name, bytes, hostile: true, ...(more.settings && { settings: more.settings }) },
  fate: { stranger: why, ...(more.pointer !== undefined && { pointer: more.pointer }) },
})
const weak = (without: string) => ({
  headers: ['From', 'To', 'Subject', 'Date', 'Message-ID'].filter((name) => name !== without).join(':'),
})

/** Mails that people write, and what is read of them. */
const written: Row[] = [
  message('plain', 'I need a new laptop.', { subject: 'Laptop' }),
  message('gmail-top-post', 'yes'),
  message('gmail-wrapped', '3'),
  message('outlook-german', 'Ja, bitte.'),
  message('outlook-block', 'Go ahead.\n\nRegards,\nAlice'),
  message('outlook-html', 'Yes please'),
  message('alternative', 'My screen is *dark*.'),
  message('alternative-blank-text', 'Only here are words.'),
  message('apple-german', 'Passt, danke!'),
  message('french', 'Oui'),
  message('spanish', 'Sí'),
  message('dutch', 'Graag'),
  message('japanese', '新しいパソコンが必要です。', { subject: 'パソコン' }),
  message('latin1-quoted', 'Mein Gerät läuft nicht, größer wäre schön.'),
  message('windows-1252', 'It’s “broken” – 5 €'),
  message('base64', 'Привет, нужен ноутбук 💻'),
  message('flowed-signature', 'I would like to know what a new laptop costs.'),
  message('phone', 'Number 2'),
  message('between-the-lines', 'The second.\nNo.'),
  message('html-script', 'Reset my <password>'),
  message('attachment', 'The quote is attached.', { files: ['quote.pdf', 'setup.exe'] }),
  message('logo', /^Hello there/, { files: [] }),
  message('subject-injection', 'hello', { subject: 'Hi Bcc: eve@evil.example body' }),
  message('folded', 'folded headers', { subject: 'A subject that is folded twice' }),
  message('nested', 'The inner words.', { files: ['note.txt'] }),
  message('no-subject', 'hello', { subject: '' }),
  message('copied', 'You too.'),
  message('forwarded', 'Please order this.'),
  message('broken-mime', 'The end is missing'),
  message('no-type', 'Just bytes and words.'),
  message('reply-to', 'Where is my laptop?'),
  { name: 'results-pass', bytes: raw('results-pass'), settings: border, fate: { message: 'A new mouse, please.' } },
  { name: 'results-dkim', bytes: raw('results-dkim'), settings: border, fate: { message: 'A new keyboard, please.' } },
  { name: 'spf', bytes: raw('spf'), settings: hop, fate: { message: 'By its address.' } },
]

/** Mails that no person wrote to us. */
const automatic: Row[] = [
  nobody('vacation', 'automatic'),
  nobody('exchange-away', 'automatic'),
  nobody('bounce', 'a bounce'),
  nobody('bounce-plain', 'a bounce'),
  nobody('bounce-by-name', 'a program'),
  nobody('read-receipt', 'a report'),
  nobody('list', 'a list'),
  nobody('newsletter', 'bulk'),
  nobody('junk', 'bulk'),
  nobody('calendar', 'an appointment'),
  nobody('loop', 'our own'),
  nobody('ourselves', 'our own'),
  nobody('not-to-us', 'not to us by name'),
  nobody('no-reply', 'a program'),
]

/** Mails by which somebody tries to be somebody else, or to have an old yes count again. */
const attacks: Row[] = [
  hostile('spoofed', raw('spoofed'), /nothing signs/, { pointer: false }),
  hostile(
    'spoofed, where the domain disowns nothing',
    async () => Buffer.from(read('spoofed').replace('company.com', 'lax.example'), 'latin1'),
    /nothing signs/,
    { pointer: true, settings: { domains: ['lax.example'] } },
  ),
  hostile('signed by another domain', signed('spoofed', {}, undefined, elsewhere), /nothing signs/),
  hostile(
    'signed, then another subject',
    signed('plain', {}, (text) => text.replace('Subject: Laptop', 'Subject: Approve')),
    /does not hold/,
  ),
  hostile(
    'signed, then another text',
    signed('plain', {}, (text) => text.replace('new laptop', 'new server')),
    /does not hold/,
  ),
  hostile(
    'signed, then a second subject on top',
    signed('plain', {}, (text) => `Subject: Approve\r\n${text}`),
    /subject twice/,
  ),
  hostile(
    'signed, then a second From on top',
    signed('plain', {}, (text) => `From: bob@company.com\r\n${text}`),
    /not from one address/,
  ),
  hostile(
    'signed, then a second To on top',
    signed('not-to-us', {}, (text) => `To: agent@company.com\r\n${text}`),
    /cover|twice|hold/,
  ),
  hostile(
    'signed to somebody else, then sent to us in Cc',
    signed('copied', weak(''), (text) => text.replace('Cc: agent', 'Cc: Agent')),
    /to whom/,
  ),
  hostile('signed without its recipient', signed('plain', weak('To')), /to whom/),
  hostile('signed without its subject', signed('plain', weak('Subject')), /cover subject/),
  hostile('signed without its date', signed('plain', weak('Date')), /cover date/),
  hostile('signed without its Message-ID', signed('plain', weak('Message-ID')), /cover message-id/),
  hostile(
    'signed in part, then more text',
    signed('plain', { bodyLength: 5 }, (text) => `${text}\r\nand a server\r\n`),
    /a part of it/,
  ),
  hostile(
    'signed until yesterday',
    signed('plain', { at: new Date(Date.now() - 9e7), expires: new Date(Date.now() - 8e7) }),
    /does not hold/,
  ),
  hostile(
    'signed under eleven names',
    signed(
      'plain',
      {},
      (text) =>
        `${'DKIM-Signature: v=1; a=rsa-sha256; d=elsewhere.example; s=a; h=from; bh=a; b=a\r\n'.repeat(11)}${text}`,
    ),
    /too many/,
  ),
  hostile('an old mail again', signed('old'), /not of these days/, { pointer: false }),
  hostile('forged-results', raw('forged-results'), /nothing signs/),
  hostile('forged-results-below', raw('forged-results-below'), /DMARC does not pass/, {
    settings: border,
    pointer: false,
  }),
  hostile('results-in-comment', raw('results-in-comment'), /DMARC does not pass/, { settings: border }),
  hostile('results-of-another', raw('results-of-another'), /nothing signs/, { settings: border }),
  hostile('results-twice', raw('results-twice'), /DMARC does not pass/, { settings: border }),
  hostile('results-other-from', raw('results-other-from'), /DMARC does not pass/, { settings: border }),
  hostile('results-unclosed', raw('results-unclosed'), /cannot be read/, { settings: border }),
  hostile(
    'our border says no, its signature yes',
    async () =>
      Buffer.concat([
        Buffer.from('Authentication-Results: mx.company.com; dmarc=fail header.from=company.com\r\n'),
        await signed('plain')(),
      ]),
    /DMARC does not pass/,
    { settings: border },
  ),
  hostile('two-from-headers', signed('two-from-headers'), /not from one address/, { pointer: false }),
  hostile('two-addresses', signed('two-addresses'), /not from one address/),
  hostile('group-from', signed('group-from'), /not from one address/),
  hostile('name-is-address', signed('name-is-address', {}, undefined, elsewhere), /not served/),
  hostile('encoded-from', signed('encoded-from', {}, undefined, elsewhere), /not served|two ways/),
  hostile('sender-header', signed('sender-header', {}, undefined, elsewhere), /not served/),
  hostile('homoglyph', signed('homoglyph'), /not from one address|nothing signs/),
  hostile('outsider', signed('outsider', {}, undefined, elsewhere), /not served/, { pointer: true }),
  hostile('no-message-id', signed('no-message-id', { headers: 'From:To:Subject:Date' }), /no Message-ID/),
  hostile('no-date', signed('no-date', { headers: 'From:To:Subject:Message-ID' }), /not of these days/),
  hostile('spf, asked of nobody', raw('spf'), /nothing signs/),
  hostile('spf-stranger', raw('spf-stranger'), /nothing signs/, { settings: hop }),
  hostile('spf-forged-hop', raw('spf-forged-hop'), /nothing signs/, { settings: hop }),
  hostile('spf-forged-path', raw('spf-forged-path'), /nothing signs/, { settings: hop }),
]

/** Mails that are none, or about which nothing can be found out now. */
const broken: Row[] = [
  { name: 'many-parts', bytes: signed('many-parts'), fate: { unreadable: /./ } },
  { name: 'garbage', bytes: raw('garbage'), fate: { nobody: 'not to us by name' } },
  { name: 'empty', bytes: raw('empty'), fate: { nobody: 'not to us by name' } },
  {
    name: 'headers without an end',
    bytes: () => Buffer.from(`X: ${'a'.repeat(1_200_000)}`),
    fate: { unreadable: /./ },
  },
  {
    ...{ name: 'a DNS that is away', settings: { domains: ['dark.example'] }, fate: { later: true } },
    bytes: async () =>
      await createDomain('dark.example').sign(read('plain').replace(/company\.com>\r\nTo/, 'dark.example>\r\nTo')),
  },
]

export const table: readonly Row[] = [...written, ...automatic, ...attacks, ...broken]
