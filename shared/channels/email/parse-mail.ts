import { createHash } from 'node:crypto'
import { type ParsedMail, simpleParser } from 'mailparser'
import { cleanFileName } from '../../attachments/file-name.ts'
import { parseEmail } from '../../identity/email.ts'
import { readMessageIds } from './message-id.ts'
import { newText } from './new-text.ts'
import { oneLine } from './one-line.ts'

/** A file that came with a mail. */
export interface File {
  name: string
  type: string
  bytes: Uint8Array
}

/** What a mail says of itself. Nothing of it is proven. */
export interface Mail {
  /** Its headers in their order, unfolded, names in lower case. */
  headers: readonly { key: string; value: string }[]
  /** The one address it says it is from; null: none, several, or none that we could use. */
  from: string | null
  /** Whom it says it is to, and which of its headers say so. */
  to: readonly { address: string; field: 'to' | 'cc' }[]
  /** Its own id, or one made of all its bytes where it has none that is usable. */
  messageId: string
  /** False where the id was made. */
  hasMessageId: boolean
  inReplyTo: string | null
  references: readonly string[]
  subject: string
  /** When it was written; null: it does not say. */
  date: Date | null
  /** What its writer added: without quotes and signature. */
  text: string
  files: readonly File[]
}

/** More of a header than any client writes, or a person reads. */
const longestSubject = 300

/** Reads a mail from its bytes; what is broken in it is read as well as it can be. */
export async function parseMail(raw: Buffer): Promise<Mail> {
  const parsed = await simpleParser(raw, {
    ...{ skipTextToHtml: true, skipImageLinks: true, keepCidLinks: true, maxHtmlLengthToParse: 1_000_000 },
    ...{ maxChildNodes: 200, checksumAlgo: false, keepDeliveryStatus: true },
  })
  const headers = parsed.headerLines.map(({ key, line }) => ({ key, value: unfold(line) }))
  const first = (name: string) => headers.find(({ key }) => key === name)?.value ?? ''
  const [ownId] = readMessageIds(first('message-id'))
  const made = `<${createHash('sha256').update(raw).digest('hex')}@made.invalid>`
  return {
    headers,
    from: fromOf(parsed, headers),
    to: recipientsOf(parsed),
    messageId: ownId ?? made,
    hasMessageId: ownId !== undefined,
    inReplyTo: readMessageIds(first('in-reply-to'))[0] ?? null,
    references: readMessageIds(first('references')),
    subject: oneLine(parsed.subject ?? '').slice(0, longestSubject),
    date: headers.some(({ key }) => key === 'date') ? dateOf(first('date')) : null,
    text: newText(await textOf(parsed)),
    files: filesOf(parsed),
  }
}

function unfold(line: string): string {
  return line
    .slice(line.indexOf(':') + 1)
    .replace(/\r?\n(?=[ \t])/g, '')
    .trim()
}

function fromOf(parsed: ParsedMail, headers: Mail['headers']): string | null {
  const fields = headers.filter(({ key }) => key === 'from')
  const [only, ...more] = parsed.from?.value ?? []
  if (fields.length !== 1 || only === undefined || more.length > 0 || only.group !== undefined) return null
  return parseEmail(only.address ?? '')
}

function recipientsOf(parsed: ParsedMail): Mail['to'] {
  return (['to', 'cc'] as const).flatMap((field) =>
    [parsed[field] ?? []].flat().flatMap(({ value }) =>
      value.flatMap((entry) => {
        const address = parseEmail(entry.address ?? '')
        return address === null ? [] : [{ address, field }]
      }),
    ),
  )
}

/** The date that it gives; null where that is none. The parser's own would be now. */
function dateOf(text: string): Date | null {
  const date = new Date(text.replace(/\([^)]*\)/g, ''))
  return Number.isNaN(date.getTime()) ? null : date
}

/** Its plain text; some clients leave that empty and write HTML alone. */
async function textOf(parsed: ParsedMail): Promise<string> {
  const text = parsed.text ?? ''
  if (text.trim() !== '' || !parsed.html) return text
  const html = Buffer.concat([Buffer.from('Content-Type: text/html; charset=utf-8\r\n\r\n'), Buffer.from(parsed.html)])
  const again = await simpleParser(html, { skipTextToHtml: true, maxHtmlLengthToParse: 1_000_000 })
  return again.text ?? ''
}

/** What was attached; pictures that belong to the layout are none. */
function filesOf(parsed: ParsedMail): File[] {
  return parsed.attachments
    .filter(({ related, cid, contentDisposition }) => !related && !(cid && contentDisposition === 'inline'))
    .map(({ filename, contentType, content }) => ({
      ...{ name: cleanFileName(filename ?? ''), type: contentType, bytes: content },
    }))
}
