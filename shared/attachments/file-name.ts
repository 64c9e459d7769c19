/** Bytes of UTF-8: what file systems take, with room for what they append. */
const longest = 200

/** A file without a name. */
const nameless = 'file'

/**
 * The name of a Content-Disposition header (RFC 6266: `filename*` before `filename`), cleaned; null where it has none.
 */
export function readFileName(disposition: string | null): string | null {
  if (disposition === null) return null
  const extended = /;\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(disposition)?.[1]
  if (extended !== undefined) {
    try {
      return cleanFileName(decodeURIComponent(extended))
    } catch {
      // Broken percent-encoding: the plain one may do.
    }
  }
  const [, quoted, token] = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(disposition) ?? []
  const plain = quoted?.replace(/\\(.)/g, '$1') ?? token
  return plain === undefined ? null : cleanFileName(fromLatin1(plain))
}

/**
 * A file's name as it may be shown and offered for saving: no folders, nothing invisible or that turns the direction of
 * writing, no leading dots, at most 200 bytes with its extension kept.
 */
export function cleanFileName(name: string): string {
  const last = name.toWellFormed().normalize('NFC').split(/[/\\]/).at(-1) ?? ''
  const cleaned = last
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>:"|?*]/gu, '')
    .replace(/\p{Zs}+/gu, ' ')
    .replace(/^[. ]+|[. ]+$/g, '')
  if (cleaned === '') return nameless
  const [, stem = cleaned, extension = ''] = /^(.*?)(\.[^.]{1,16})?$/su.exec(cleaned) ?? []
  return cut(stem, longest - Buffer.byteLength(extension)) + extension
}

/** A Content-Disposition that has the file saved, never shown (RFC 6266, with the plain form for old readers). */
export function attachmentDisposition(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const extended = encodeURIComponent(name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)
  return `attachment; filename="${plain}"; filename*=UTF-8''${extended}`
}

function cut(text: string, most: number): string {
  let kept = ''
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (Buffer.byteLength(kept + segment) > most) break
    kept += segment
  }
  return kept === '' ? nameless : kept
}

/** Headers come as Latin-1 whatever was meant; most senders mean UTF-8. */
function fromLatin1(text: string): string {
  const raw = Buffer.from(text, 'latin1')
  return /[\x80-\xff]/.test(text) && raw.toString('latin1') === text && isValid(raw) ? raw.toString('utf8') : text
}

function isValid(raw: Buffer): boolean {
  return Buffer.from(raw.toString('utf8')).equals(raw)
}
