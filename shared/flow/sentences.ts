/** Abbreviations after which a full stop ends no sentence. */
const abbreviation =
  /(?:^|[\s(])(?:e\.g|i\.e|etc|vs|approx|incl|no|nr|mr|mrs|ms|dr|st|fig|sec|inc|ltd|z\.b|bzw|ca)\.$/iu
const sentenceEnd = /(?<=[.!?…]["'”’)\]]?)\s+(?=["'“‘([]?[\p{Lu}\p{N}])/u

/**
 * The sentences of a piece of a Markdown document, in order and verbatim but for line breaks: a list item and a table
 * row are sentences of their own, headings, rules and table borders are none.
 */
export function cutSentences(markdown: string): string[] {
  return blocksOf(markdown).flatMap(sentencesOf)
}

function blocksOf(markdown: string): string[] {
  const blocks: string[] = []
  let open = false
  for (const line of markdown.split(/\r?\n/u).map((text) => text.trim())) {
    const item = /^(?:[-*+]|\d{1,3}[.)])\s+(.*)$/u.exec(line)
    if (line === '' || /^#{1,6}\s/u.test(line) || /^(?:[-*_=]\s?){3,}$/u.test(line) || /^\|?[\s:|-]+\|?$/u.test(line)) {
      open = false
    } else if (line.startsWith('|')) {
      blocks.push(
        line
          .replace(/^\||\|$/gu, '')
          .split('|')
          .map((cell) => cell.trim())
          .join(' | '),
      )
      open = false
    } else if (item?.[1] !== undefined) {
      blocks.push(item[1])
      open = true
    } else if (open) {
      blocks.push(`${blocks.pop() ?? ''} ${line}`)
    } else {
      blocks.push(line)
      open = true
    }
  }
  return blocks
}

function sentencesOf(block: string): string[] {
  const sentences: string[] = []
  for (const piece of block.split(sentenceEnd)) {
    const before = sentences.at(-1)
    if (before !== undefined && abbreviation.test(before)) sentences[sentences.length - 1] = `${before} ${piece}`
    else sentences.push(piece)
  }
  return sentences.map((sentence) => sentence.trim()).filter((sentence) => /[\p{L}\p{N}]/u.test(sentence))
}
