import type { ChatMessage } from './read-request.ts'

/** Pieces of text as a byte-pair tokenizer might cut English: words up to 8 letters, digits by three, marks alone. */
const piece = / ?[\p{L}\p{M}]{1,8}| ?\p{N}{1,3}| ?[^\s\p{L}\p{M}\p{N}]{1,2}|\s+/gu

/** The tokens of a text. An estimate: within some 15 % of a public tokenizer on English prose, not one of them. */
export function tokensOf(text: string): string[] {
  return text.match(piece) ?? []
}

/** The tokens of a conversation as a chat template renders it: a marker before and after every message. */
export function chatTokens(messages: readonly ChatMessage[], tools: string): string[] {
  const rendered = tools === '' ? [] : tokensOf(tools)
  for (const message of messages) rendered.push('<|', message.role, '|>', ...tokensOf(message.content), '<|end|>')
  rendered.push('<|', 'assistant', '|>')
  return rendered
}

/** A stable number below 2^17 for a token. */
export function tokenId(token: string): number {
  return hash(token) % 131_072
}

/** FNV-1a over UTF-16 units, 32 bit. */
export function hash(text: string, seed = 0x811c9dc5): number {
  let value = seed
  for (let at = 0; at < text.length; at += 1) {
    value ^= text.charCodeAt(at)
    value = Math.imul(value, 0x01000193)
  }
  return value >>> 0
}
