import { type Facts, saidNumber, saidWords } from './facts.ts'
import { bare, endsOfFact } from './plain.ts'
import type { Records, Row } from './records.ts'
import type { Line, Piece } from './shown-lines.ts'

/** What the places of a line hold, where the line is one of the agents' own with facts of this conversation. */
export interface Match {
  rows: Record<string, Row>
  values: Record<string, string>
}

/** Reads a line of an answer as one of the agents' texts filled with facts; null where it is none. */
export function matchLine(line: string, facts: Facts): Match | null {
  for (const known of facts.records.lines) {
    const match = matchPieces(line, 0, known, { rows: {}, values: {} }, facts)
    if (match !== null) return match
  }
  return null
}

function matchPieces(line: string, at: number, pieces: Line, match: Match, facts: Facts): Match | null {
  const [piece, ...rest] = pieces
  if (piece === undefined) return at === line.length && isConsistent(match, facts) ? match : null
  if ('words' in piece) {
    // The mark of a quotation is the template's, whatever is quoted.
    return line.startsWith(piece.words, at) ? matchPieces(line, at + piece.words.length, rest, match, facts) : null
  }
  for (const { end, next } of fillings(line, at, piece, rest[0], match, facts)) {
    const found = matchPieces(line, end, rest, next, facts)
    if (found !== null) return found
  }
  return null
}

/** Every way to read the fact at a place. */
function* fillings(
  line: string,
  at: number,
  piece: Extract<Piece, { place: string }>,
  after: Piece | undefined,
  match: Match,
  facts: Facts,
): Generator<{ end: number; next: Match }> {
  const { place, fallback } = piece
  const known = facts.values[place]
  if (fallback !== null && line.startsWith(fallback, at)) yield { end: at + fallback.length, next: match }
  if (known !== undefined) {
    for (const value of known) {
      for (const end of endsOfFact(line, at, value)) yield { end, next: withValue(match, place, value) }
    }
    return
  }
  const [root = '', ...path] = place.split('.')
  const field = path.join('.')
  const rows = facts.rows[root]
  if (rows !== undefined && place !== 'citation.number') {
    yield* ofRows(rows, root, field, line, at, match)
    return
  }
  const digits = /^\d+/.exec(line.slice(at))?.[0]
  switch (place) {
    case 'forloop.index':
    case 'citation.number':
    case 'cost':
      if (digits !== undefined) yield { end: at + digits.length, next: withValue(match, place, digits) }
      return
    case 'seats':
      if (digits !== undefined && saidNumber(facts, Number(digits)))
        yield { end: at + digits.length, next: withValue(match, place, digits) }
      return
    default:
      yield* ofWords(line, at, place, after, match, facts)
  }
}

function* ofRows(
  rows: Row[],
  root: string,
  field: string,
  line: string,
  at: number,
  match: Match,
): Generator<{ end: number; next: Match }> {
  const bound = match.rows[root]
  for (const row of bound === undefined ? rows : [bound]) {
    const value = row[field]
    const ends = value === undefined ? [] : endsOfFact(line, at, value)
    for (const end of ends) yield { end, next: { ...match, rows: { ...match.rows, [root]: row } } }
  }
}

/** Places for the employee's own words, and for sentences of documents. */
function* ofWords(
  line: string,
  at: number,
  place: string,
  after: Piece | undefined,
  match: Match,
  facts: Facts,
): Generator<{ end: number; next: Match }> {
  const stop = after !== undefined && 'words' in after ? after.words : null
  for (
    let end = stop === null ? line.length : line.indexOf(stop, at);
    end >= at;
    end = stop === null ? -1 : line.indexOf(stop, end + 1)
  ) {
    const words = line.slice(at, end)
    const fits =
      place === 'answer.text'
        ? isCited(words, facts)
        : ['topic', 'justification', 'cost_centre', 'approver', 'manager'].includes(place) && saidWords(facts, words)
    if (fits) yield { end, next: withValue(match, place, words) }
  }
}

/** Whether a text is made of whole sentences of the documents, with numbers of citations between them. */
function isCited(text: string, facts: Facts): boolean {
  if (!/\[\d+\]$/.test(text)) return false
  return isMadeOf(bare(withoutNumbers(text)), bareSentences(facts.records))
}

/** Without the numbers of citations, which a document may hold too. */
function withoutNumbers(text: string): string {
  return text.replace(/\[\d+\]/g, '')
}

const sentencesOf = new WeakMap<Records, string[]>()

function bareSentences(records: Records): string[] {
  const known = sentencesOf.get(records) ?? records.sentences.map((sentence) => bare(withoutNumbers(sentence)))
  sentencesOf.set(records, known)
  return known
}

function isMadeOf(text: string, sentences: string[]): boolean {
  const reached = new Set([0])
  for (const at of reached) {
    if (at === text.length) return true
    for (const sentence of sentences) if (text.startsWith(sentence, at)) reached.add(at + sentence.length)
  }
  return false
}

function withValue(match: Match, place: string, value: string): Match {
  return { ...match, values: { ...match.values, [place]: value } }
}

/** Facts of one line that hang together: a row's place in its list, a sum. */
function isConsistent({ rows, values }: Match, facts: Facts): boolean {
  const index = values['forloop.index']
  const [root, row] = Object.entries(rows)[0] ?? []
  if (index !== undefined && root !== undefined && row !== undefined) {
    const list =
      root === 'option' ? facts.rows['option']?.filter((one) => one['Region'] === row['Region']) : facts.rows[root]
    const isNewestFirst = root === 'request'
    const at = list?.indexOf(row) ?? -1
    if (!isNewestFirst && at + 1 !== Number(index)) return false
  }
  const { seats, cost } = values
  const product = rows['product']
  if (cost === undefined) return true
  const prices = (product === undefined ? facts.records.licences : [product]).map((one) =>
    Number(one['yearly_price_eur']),
  )
  return prices.some((price) =>
    seats === undefined ? Number(cost) % price === 0 : price * Number(seats) === Number(cost),
  )
}
