import { attribution, device, headerNames, original } from './quote-words.ts'

/**
 * What somebody wrote into a mail: without what they answer to, their signature and their client's own line. A quote
 * is somebody else's words, and those of an earlier day: they say nothing now.
 */
export function newText(text: string): string {
  const lines = text
    .replace(/\r\n?/g, '\n')
    .replace(/\u00a0/g, ' ')
    .split('\n')
  const kept: string[] = []
  for (let index = 0; index < lines.length; index += 1) {
    const line = (lines[index] ?? '').trimEnd()
    if (isEnd(lines, index)) break
    const attributed = attributionLines(lines, index)
    if (attributed > 0) {
      // Under an answer on top, all that follows is quoted, marked or not.
      if (kept.some((earlier) => earlier !== '')) break
      index += attributed - 1
      continue
    }
    if (/^\s*>/.test(line)) continue
    kept.push(line)
  }
  return kept
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

/** Whether nothing of the writer's own follows. */
function isEnd(lines: readonly string[], index: number): boolean {
  const line = (lines[index] ?? '').trim()
  // RFC 3676, 4.3; many clients drop the space.
  if (/^--\s?$/.test(lines[index] ?? '')) return true
  if (original.test(line)) return true
  if (device.test(line) && lines.length - index <= 40) return true
  // Outlook: a rule, then the headers of what is answered.
  if (/^[-_]{10,}$/.test(line)) return isHeaderBlock(lines, nextWritten(lines, index + 1))
  return isHeaderBlock(lines, index)
}

/** The headers of a mail as clients put them over a quote: a sender, and within a few lines a date and a subject. */
function isHeaderBlock(lines: readonly string[], index: number): boolean {
  if (!headerNames.from.test(plain(lines[index]))) return false
  const following = lines.slice(index + 1, index + 8).map(plain)
  return (
    following.some((line) => headerNames.sent.test(line)) && following.some((line) => headerNames.subject.test(line))
  )
}

function plain(line: string | undefined): string {
  return (line ?? '').replace(/[*>]/g, '').trim()
}

function nextWritten(lines: readonly string[], index: number): number {
  const found = lines.findIndex((line, at) => at >= index && line.trim() !== '')
  return found === -1 ? lines.length : found
}

/** How many lines from here are one "On … wrote:"; clients wrap it. */
function attributionLines(lines: readonly string[], index: number): number {
  let joined = ''
  for (let count = 1; count <= 4; count += 1) {
    const line = (lines[index + count - 1] ?? '').replace(/^[\s>]+/, '').trim()
    if (line === '') return 0
    joined = `${joined} ${line}`.trim()
    if (joined.length > 400) return 0
    if (attribution.test(joined)) return count
  }
  return 0
}
