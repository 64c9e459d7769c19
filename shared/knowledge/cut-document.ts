import { Fault } from '../errors/fault.ts'
import type { Section } from './source.ts'

/** Characters a section may have before it is split; about 300 tokens. */
const longest = 1200

/**
 * Cuts a Markdown document at its `#` headings into sections, long ones at paragraphs; headings below the second
 * level are shown under theirs ("Reset › By phone"). The title is the first `#` heading, else the file's name.
 * @throws Fault `knowledge.invalid` where it has no text.
 */
export function cutDocument(file: string, name: string, text: string): { title: string; sections: Section[] } {
  let title: string | null = null
  let path: string[] = []
  const sections: Section[] = []
  let lines: string[] = []
  const close = () => {
    const heading = path.filter(Boolean).join(' › ')
    for (const content of splitLong(lines.join('\n').trim())) sections.push({ heading, content })
    lines = []
  }
  let fence: string | null = null
  for (const line of text.split(/\r?\n/)) {
    const mark = /^ {0,3}(```+|~~~+)/.exec(line)?.[1]
    if (mark !== undefined && (fence === null || mark.startsWith(fence))) fence = fence === null ? mark : null
    const heading = fence === null ? /^ {0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$/.exec(line) : null
    if (heading === null) {
      lines.push(line)
      continue
    }
    close()
    const [, { length: level } = '', words = ''] = heading
    if (level === 1 && title === null) {
      title = words
      path = []
    } else {
      // Holes, where a document skips a level, are left out of the path.
      path = [...Array.from({ length: level - 1 }, (_, index) => path[index] ?? ''), words]
    }
  }
  close()
  if (sections.length === 0) throw new Fault('knowledge.invalid', `${file}:1: has no text`)
  return { title: title ?? name, sections }
}

/** Packs whole paragraphs into pieces; a paragraph that is too long itself is cut at lines, sentences, then words. */
function splitLong(text: string): string[] {
  if (text === '') return []
  const pieces: string[] = []
  for (const { part, glue } of partsOf(text, ['\n\n', '\n', '. ', ' '])) {
    const last = pieces.at(-1)
    if (last !== undefined && last.length + glue.length + part.length <= longest) {
      pieces[pieces.length - 1] = last + glue + part
    } else {
      pieces.push(part)
    }
  }
  return pieces.map((piece) => piece.trim()).filter(Boolean)
}

interface Part {
  part: string
  /** What stood between it and the part before. */
  glue: string
}

function partsOf(text: string, separators: string[]): Part[] {
  const [separator, ...finer] = separators
  if (text.length <= longest) return [{ part: text, glue: '' }]
  if (separator === undefined) {
    return (text.match(/[\s\S]{1,1200}/gu) ?? []).map((part) => ({ part, glue: '' }))
  }
  // A full stop stays with its sentence.
  const kept = separator === '. ' ? '.' : ''
  const split = separator === '\n\n' ? splitParagraphs(text) : text.split(separator)
  return split.flatMap((part, index) => {
    const whole = index < split.length - 1 ? part + kept : part
    const [first, ...rest] = partsOf(whole, finer)
    const glue = index === 0 ? '' : separator === '. ' ? ' ' : separator
    return first === undefined ? [] : [{ ...first, glue }, ...rest]
  })
}

/** Paragraphs end at an empty line, but not inside a code block. */
function splitParagraphs(text: string): string[] {
  const paragraphs: string[] = []
  let open = false
  for (const block of text.split(/\n[ \t]*\n+/)) {
    const last = paragraphs.at(-1)
    if (open && last !== undefined) paragraphs[paragraphs.length - 1] = `${last}\n\n${block}`
    else paragraphs.push(block)
    const fences = block.match(/^ {0,3}(?:```|~~~)/gm)?.length ?? 0
    if (fences % 2 === 1) open = !open
  }
  return paragraphs
}
