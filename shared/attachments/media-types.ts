import { isUtf8 } from 'node:buffer'

/** How a file of a type has to begin; `text`: as text in UTF-8. */
type Beginning = 'text' | readonly number[][]

const bytes = (text: string): number[] => [...Buffer.from(text, 'latin1')]
const zip: Beginning = [bytes('PK\x03\x04')]
const ole: Beginning = [[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]]
const office = 'application/vnd.openxmlformats-officedocument'

/**
 * The types that are taken: documents, images, text. Nothing that a browser runs (HTML, SVG, scripts), no archives, no
 * programs.
 */
const beginnings: Record<string, Beginning> = {
  'application/pdf': [bytes('%PDF-')],
  'application/msword': ole,
  'application/vnd.ms-excel': ole,
  'application/vnd.ms-powerpoint': ole,
  [`${office}.wordprocessingml.document`]: zip,
  [`${office}.spreadsheetml.sheet`]: zip,
  [`${office}.presentationml.presentation`]: zip,
  'application/vnd.oasis.opendocument.text': zip,
  'application/vnd.oasis.opendocument.spreadsheet': zip,
  'application/vnd.oasis.opendocument.presentation': zip,
  'application/rtf': [bytes('{\\rtf')],
  'image/png': [bytes('\x89PNG\r\n\x1a\n')],
  'image/jpeg': [[0xff, 0xd8, 0xff]],
  'image/gif': [bytes('GIF87a'), bytes('GIF89a')],
  'image/webp': [bytes('RIFF')],
  'text/plain': 'text',
  'text/csv': 'text',
  'text/markdown': 'text',
}

/** The media types that are taken, in the order of their names. */
export const mediaTypes: readonly string[] = Object.keys(beginnings).sort()

/** So many leading bytes are enough to tell. */
export const headBytes = 512

/** The media type of a Content-Type header, without its parameters; null where it is none that is taken. */
export function readMediaType(contentType: string | null): string | null {
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  return Object.hasOwn(beginnings, type) ? type : null
}

/** Whether a file that begins so can be of that type. Only the beginning is looked at. */
export function beginsLike(mediaType: string, head: Uint8Array): boolean {
  const beginning = beginnings[mediaType]
  if (beginning === undefined) return false
  if (beginning === 'text') return isText(head)
  if (!beginning.some((signature) => signature.every((byte, index) => head[index] === byte))) return false
  return mediaType !== 'image/webp' || Buffer.from(head.subarray(8, 12)).toString('latin1') === 'WEBP'
}

function isText(head: Uint8Array): boolean {
  // Signs of another encoding or of no text at all; tab, line feed, form feed, return and escape do occur.
  if (head.some((byte) => byte < 0x20 && ![0x09, 0x0a, 0x0c, 0x0d, 0x1b].includes(byte))) return false
  // Of these the first signs are letters, too.
  if (/^(%PDF-|\{\\rtf|GIF8[79]a)/.test(Buffer.from(head.subarray(0, 6)).toString('latin1'))) return false
  // The last character may be cut by the end of the head; one has four bytes at most.
  const whole = head.length < headBytes
  return [0, 1, 2, 3].some((cut) => (cut === 0 || !whole) && isUtf8(head.subarray(0, head.length - cut)))
}
