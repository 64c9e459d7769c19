/** What an agent writes, as data: nothing in it is ever read as HTML. */
export type Block =
  | { kind: 'paragraph'; lines: Span[][] }
  | { kind: 'heading'; text: Span[] }
  | { kind: 'list'; ordered: boolean; start: number; items: Item[] }
  /** A list of names with their values; `title`: the bold line right above it. */
  | { kind: 'facts'; title: string | null; facts: Fact[] }
  | { kind: 'rule' }

export interface Fact {
  name: string
  value: Span[]
}

/** One point of a list; `lines`: what stands below it. */
export interface Item {
  text: Span[]
  lines: Span[][]
}

export type Span = { kind: 'text' | 'strong' | 'reference'; text: string }

const bullet = /^\s{0,3}(?:[-*•])\s+(\S.*)$/
const numbered = /^\s{0,3}(\d{1,4})[.)]\s+(\S.*)$/
const heading = /^#{1,4}\s+(\S.*)$/

/** The light markdown of the agents: paragraphs, lists, headings, **bold**, [1] references. */
export function readMarkdown(text: string): Block[] {
  const blocks: Block[] = []
  let paragraph: Span[][] | null = null
  let list: Extract<Block, { kind: 'list' }> | null = null
  let gap = false

  const add = (block: Block): void => {
    blocks.push(block)
    paragraph = block.kind === 'paragraph' ? block.lines : null
    list = block.kind === 'list' ? block : null
  }
  const addItem = (ordered: boolean, start: number, text: string): void => {
    const item = { text: readSpans(text), lines: [] }
    if (list !== null && list.ordered === ordered) list.items.push(item)
    else add({ kind: 'list', ordered, start, items: [item] })
  }

  for (const line of text.replaceAll('\r\n', '\n').split('\n')) {
    if (line.trim() === '') {
      gap = true
      continue
    }
    const [, point] = bullet.exec(line) ?? []
    const [, number, counted] = numbered.exec(line) ?? []
    const [, title] = heading.exec(line) ?? []
    if (title !== undefined) add({ kind: 'heading', text: readSpans(title) })
    else if (/^\s{0,3}(?:-{3,}|\*{3,})\s*$/.test(line)) add({ kind: 'rule' })
    else if (point !== undefined) addItem(false, 1, point)
    else if (counted !== undefined) addItem(true, Number(number), counted)
    else {
      const [last] = lastItem(list)
      const spans = readSpans(line.trim())
      if (last !== undefined && /^\s{2,}/.test(line)) last.lines.push(spans)
      else if (paragraph !== null && !gap) (paragraph as Span[][]).push(spans)
      else add({ kind: 'paragraph', lines: [spans] })
    }
    gap = false
  }
  return toFacts(blocks)
}

/** Lists of nothing but `Name: value` are facts; what stands in bold right above them, as in a catalogue, is their title. */
function toFacts(blocks: Block[]): Block[] {
  const made: Block[] = []
  for (const block of blocks) {
    const facts = factsOf(block)
    if (facts === null) {
      made.push(block)
      continue
    }
    const above = made.at(-1)
    const last = above?.kind === 'paragraph' ? above.lines.at(-1) : undefined
    const [title, ...others] = last ?? []
    const titled = title?.kind === 'strong' && others.length === 0
    if (titled && above?.kind === 'paragraph') {
      above.lines.pop()
      if (above.lines.length === 0) made.pop()
    }
    made.push({ kind: 'facts', title: titled ? title.text : null, facts })
  }
  return made
}

function factsOf(block: Block): Fact[] | null {
  if (block.kind !== 'list' || block.ordered || block.items.length < 2) return null
  const facts: Fact[] = []
  for (const { text, lines } of block.items) {
    const [first, ...more] = text
    const [, name, value = ''] = (first?.kind === 'text' && /^([^:]{1,40}):(?:\s+(\S.*)|\s*)$/.exec(first.text)) || []
    if (name === undefined || (value === '' && more.length === 0) || lines.length > 0) return null
    facts.push({ name, value: [...(value === '' ? [] : [{ kind: 'text', text: value } as const]), ...more] })
  }
  return facts
}

function lastItem(list: { items: Item[] } | null): Item[] {
  return list === null ? [] : list.items.slice(-1)
}

/** Bold that is closed, and references like [1]. An address stays text: no message makes a link of ours. */
export function readSpans(text: string): Span[] {
  const spans: Span[] = []
  const pattern = /\*\*(?=\S)(.{1,500}?)(?<=\S)\*\*|(\[\d{1,3}\])/g
  let read = 0
  for (const match of text.matchAll(pattern)) {
    if (match.index > read) spans.push({ kind: 'text', text: text.slice(read, match.index) })
    const [, strong, reference] = match
    if (strong !== undefined) spans.push({ kind: 'strong', text: strong })
    else if (reference !== undefined) spans.push({ kind: 'reference', text: reference })
    read = match.index + match[0].length
  }
  if (read < text.length) spans.push({ kind: 'text', text: text.slice(read) })
  return spans
}
