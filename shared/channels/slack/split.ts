import { toMrkdwn } from './mrkdwn.ts'

/** Characters of a section's text (docs.slack.dev, "Section block"). */
export const longestSection = 3_000

/**
 * An answer as the texts of sections, each within Slack's limit: parted between paragraphs where that goes, else between
 * lines, words, characters. Never within an escape, because parts are cut before they are escaped.
 */
export function toSections(text: string, limit = longestSection): string[] {
  const sections: string[] = []
  let section = ''
  for (const paragraph of text.trim().split(/\n{2,}/)) {
    let join = '\n\n'
    for (const part of partsOf(paragraph, limit)) {
      const longer = section === '' ? part : section + join + part
      if (longer.length <= limit) section = longer
      else {
        sections.push(section)
        section = part
      }
      join = '\n'
    }
  }
  return [...sections, section].filter((part) => part.trim() !== '')
}

/** A paragraph as few texts that fit. */
function partsOf(paragraph: string, limit: number): string[] {
  const whole = render(paragraph)
  if (whole.length <= limit) return [whole]
  return paragraph.split('\n').flatMap((line) => (render(line).length <= limit ? [render(line)] : cut(line, limit)))
}

function cut(line: string, limit: number): string[] {
  const parts: string[] = []
  for (let rest = line.trim(); rest !== ''; ) {
    const end = endOfPart(rest, limit)
    parts.push(render(rest.slice(0, end).trim()))
    rest = rest.slice(end).trim()
  }
  return parts
}

/** Where the longest beginning that fits may end: behind a word, else behind a whole character. */
function endOfPart(text: string, limit: number): number {
  let end = Math.min(text.length, limit)
  // Escapes only make it longer, so that this soon fits.
  while (render(text.slice(0, end)).length > limit) {
    end -= Math.max(1, Math.ceil((render(text.slice(0, end)).length - limit) / 5))
  }
  if (end === text.length) return end
  const word = text.slice(0, end).search(/\s\S*$/)
  if (word > end / 2) return word
  return /[\ud800-\udbff]/.test(text.charAt(end - 1)) && end > 1 ? end - 1 : end
}

function render(text: string): string {
  return text.split('\n').map(toMrkdwn).join('\n')
}
