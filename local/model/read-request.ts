import type { Candidate } from './classify.ts'

export interface ChatMessage {
  role: string
  content: string
}

/** A request as this model reads it: what it is told to do, and the texts it is given between delimiters. */
export interface Reading {
  /** Everything outside delimiters, of all messages. */
  instructions: string
  /** The delimited texts of the last user message, in order; the whole message where nothing is delimited. */
  texts: string[]
  /** The last of them: the text the request is about. */
  subject: string
}

const delimited = /<([a-z][\w-]{0,40})>([\s\S]*?)<\/\1>|«([\s\S]*?)»|"""([\s\S]*?)"""|```(?:\w+\n)?([\s\S]*?)```/gi

/** Splits a conversation into instructions and the texts of the last user message. */
export function readRequest(messages: readonly ChatMessage[]): Reading {
  const lastUser = messages.findLastIndex((message) => message.role === 'user')
  const texts: string[] = []
  const instructions: string[] = []
  for (const [index, message] of messages.entries()) {
    if (message.role === 'assistant' || message.role === 'tool') continue
    const outside = message.content.replace(delimited, (_all, _tag, a, b, c, d) => {
      if (index === lastUser) texts.push(String(a ?? b ?? c ?? d ?? '').trim())
      return '\n'
    })
    if (index !== lastUser || texts.length > 0) instructions.push(outside)
    else texts.push(message.content.trim())
  }
  return { instructions: instructions.join('\n'), texts, subject: texts.at(-1) ?? '' }
}

const quoted = /"([^"\n]{1,300})"|“([^”\n]{1,300})”/g

/**
 * What the instructions say about each of some names: the line that starts with the name ("- name (note): meaning.
 * e.g. "one"; "two""), its quoted parts being examples. A name without a line stands for itself.
 */
export function describe(names: readonly string[], instructions: string): (Candidate & { note: string })[] {
  const lines = new Map<string, { note: string; rest: string }>()
  const known = new Set(names)
  for (const line of instructions.split('\n')) {
    const found =
      /^\s*(?:[-*•]\s+|\d{1,3}[.)]\s+)?["'`]?(.{1,120}?)["'`]?\s*(?:\(([^)]{0,200}(?:\([^)]*\))?[^)]{0,200})\))?\s*(?::|=|–|—|\s-\s)\s*(.*)$/.exec(
        line,
      )
    const name = found?.[1]
    if (found === null || name === undefined || !known.has(name) || lines.has(name)) continue
    lines.set(name, { note: found[2] ?? '', rest: found[3] ?? '' })
  }
  return names.map((name) => {
    const line = lines.get(name)
    const rest = line?.rest ?? ''
    return {
      name,
      note: line?.note ?? '',
      description: rest
        .replace(quoted, ' ')
        .replace(/\b(?:e\.g\.|for example|examples?|such as|values?)\s*:?[\s;,]*$/i, '')
        .trim(),
      examples: [...rest.matchAll(quoted)].map((match) => match[1] ?? match[2] ?? ''),
    }
  })
}

/** The numbered lines ("12. text", "[12] text") of a text. */
export function numberedLines(text: string): { number: number; text: string }[] {
  return [...text.matchAll(/^\s*(?:\[(\d{1,6})\]|(\d{1,6})[.):])\s+(.+)$/gm)].map((match) => ({
    number: Number(match[1] ?? match[2]),
    text: (match[3] ?? '').trim(),
  }))
}
