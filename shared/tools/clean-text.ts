import type { Json } from '../flow/json.ts'

/**
 * What a reader can't see but a model or a terminal acts on: control characters (line feed and tab stay), zero-width
 * and direction marks, soft hyphen, interlinear marks, tag characters and lone surrogates.
 */
const unseen =
  /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Cs}]/gu

/** Takes unseen characters out of every string of a value, and out of its keys. */
export function cleanText(value: Json): Json {
  if (typeof value === 'string') {
    return value.replace(unseen, (character) => (character === '\n' || character === '\t' ? character : ''))
  }
  if (Array.isArray(value)) return value.map(cleanText)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [String(cleanText(key)), cleanText(member)]))
}
