/**
 * Controls but for the line break, format characters (zero-width, bidirectional, tags), lone surrogates, fillers, and
 * variation selectors but for the emoji's.
 */
const unseen =
  /[^\P{C}\n\p{Cn}\p{Co}]|\u034f|\u115f|\u1160|[\u17b4\u17b5]|[\u180b-\u180f]|\u3164|\uffa0|[\ufe00-\ufe0e]|[\u{e0100}-\u{e01ef}]/gu
/** Signs that a text may lose or gain where it is made plain: white space, and what Markdown would read. */
const fickle = /[\s\\*_`~'#\u2217]|\ufe0f/u

/** The first character of a text that a reader would not see, as its code point; null where there is none. */
export function findUnseen(text: string): string | null {
  const [found] = text.match(unseen) ?? []
  return found === undefined ? null : `U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}

/** A text without what a reader would not see. */
export function withoutUnseen(text: string): string {
  return text.replace(unseen, '')
}

/** Markup that would do something where an answer is shown as Markdown or HTML: links, images, tags, code, headings. */
const live: [string, RegExp][] = [
  ['a link or image', /(?<!\\)\]\(/],
  ['a link by reference', /(?<!\\)\]\[|^ {0,3}\[[^\]]+\]:/m],
  ['a tag, comment or autolink', /(?<!\\)<[a-z!/?]/i],
  ['a block of code', /```|^ {0,3}~~~/m],
  ['a heading', /^ {0,3}#{1,6} /m],
  ['a rule or heading underline', /^ {0,3}(?:=+|-{2,}|\*{3,}|_{3,})\s*$/m],
  ['a table', /^\s*\|/m],
]

/** What live markup a text holds, by name; none of our own texts has any of these. */
export function findLive(text: string): string[] {
  return live.filter(([, form]) => form.test(text)).map(([name]) => name)
}

/** A text without what comes and goes when it is made plain: two texts that read the same are the same. */
export function bare(text: string): string {
  return [...withoutUnseen(text).replace(/\n/g, '')].filter((sign) => !fickle.test(sign)).join('')
}

const facts = new Map<string, string>()

/** `bare` of a fact, which is asked for line after line. */
function bareFact(fact: string): string {
  const known = facts.get(fact) ?? bare(fact)
  facts.set(fact, known)
  return known
}

/** Where a fact that begins at `at` of a line may end: nowhere, if the line has something else there. */
export function endsOfFact(line: string, at: number, fact: string): number[] {
  if (line.startsWith(fact, at)) return [at + fact.length]
  const wanted = bareFact(fact)
  let end = at
  for (let read = 0; read < wanted.length; end += 1) {
    const sign = line[end]
    if (sign === undefined) return []
    if (sign === wanted[read]) read += 1
    else if (!fickle.test(sign)) return []
  }
  // What the fact ended with may still be there, in full or in part.
  const ends = [end]
  for (; end < line.length && fickle.test(line[end] ?? ''); end += 1) ends.push(end + 1)
  return ends
}
