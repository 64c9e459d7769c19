import type { Sql } from '../store/connect.ts'
import { editDistance } from './edit-distance.ts'
import type { Token } from './question.ts'
import type { Section } from './source.ts'

export interface Spelling {
  spelled: string
  folded: string
}

/** Words of one query that are looked at: each is compared with all words of the agent's documents. */
const mostSuspects = 8
/** Trigrams choose the words to compare, then the letters decide; abraod is as near to abroad as 0.27. */
const likeness = 0.2

/** The words of a document, and whole compounds such as Wi-Fi or XPS-13, in lower case and folded. */
export function spellingsOf(title: string, sections: Section[]): Spelling[] {
  const text = [title, ...sections.flatMap(({ heading, content }) => [heading, content])].join('\n').toLowerCase()
  const found = new Set(text.match(/[\p{L}\p{N}\p{M}]+(?:[-_/][\p{L}\p{N}\p{M}]+)*/gu) ?? [])
  for (const compound of [...found]) for (const part of compound.split(/[-_/]/)) found.add(part)
  return [...found].map((spelled) => ({ spelled, folded: fold(spelled) })).filter(({ folded }) => isComparable(folded))
}

/**
 * Finds how the agent's documents spell the words of a query that they do not have: mistyped ones (pasword, prniter),
 * and ones that are joined or taken apart (wifi for Wi-Fi, pass word for password). Returns the tokens that are
 * replaced and the words that take their place.
 */
export async function correctSpelling(
  sql: Sql,
  agent: string,
  tokens: Token[],
): Promise<{ replaced: Set<Token>; by: string[] }> {
  const suspects = suspectsOf(tokens).slice(0, mostSuspects)
  const replaced = new Set<Token>()
  const by: string[] = []
  if (suspects.length === 0) return { replaced, by }
  // People get the first letter right; where it differs, it is more often another word.
  const rows = await sql<(Spelling & { position: number })[]>`
    select s.position::int, near.spelled, near.folded
    from jsonb_array_elements_text(${sql.json(suspects.map(({ folded }) => folded))}) with ordinality as s (word, position)
    cross join lateral (
      select distinct spelled, folded, similarity(s.word, folded) as likeness from spellings
      where agent = ${agent} and left(folded, 1) = left(s.word, 1)
        and length(folded) between length(s.word) - 2 and length(s.word) + 2
        and similarity(s.word, folded) >= ${likeness}
      order by likeness desc, spelled limit 24
    ) as near
    order by s.position, near.likeness desc, near.spelled`
  suspects.forEach((suspect, index) => {
    if (suspect.tokens.some((token) => replaced.has(token))) return
    const words = nearest(
      suspect,
      rows.filter((row) => row.position === index + 1),
    )
    if (words.length === 0) return
    for (const token of suspect.tokens) replaced.add(token)
    by.push(...words)
  })
  return { replaced, by }
}

interface Suspect {
  tokens: Token[]
  folded: string
}

/** The words that no document has, and each with its neighbours: "wi fi" may be one word. */
function suspectsOf(tokens: Token[]): Suspect[] {
  const isUnknown = (token: Token) => token.lexemes.some((lexeme) => lexeme.documents === 0)
  const groups = tokens.flatMap((token, index) => {
    const next = tokens[index + 1]
    const pair = next !== undefined && (isUnknown(token) || isUnknown(next)) ? [[token, next]] : []
    return isUnknown(token) ? [[token], ...pair] : pair
  })
  return groups
    .map((group) => ({ tokens: group, folded: fold(group.map((token) => token.text).join('')) }))
    .filter(({ folded }) => isComparable(folded))
}

/** All spellings of the one word that is nearest to a suspect; none where no word is near enough. */
function nearest(suspect: Suspect, spellings: Spelling[]): string[] {
  const most = allowance(suspect)
  const distances = spellings.map(({ folded }) => editDistance(suspect.folded, folded))
  const least = Math.min(...distances)
  const word = spellings[distances.indexOf(least)]
  return least > most ? [] : spellings.filter(({ folded }) => folded === word?.folded).map(({ spelled }) => spelled)
}

/** Letters that may be wrong: none in a short word, a number or a pair, which would turn one thing into another. */
function allowance({ tokens, folded }: Suspect): number {
  if (tokens.length > 1 || folded.length < 5 || /\d/.test(folded)) return 0
  return folded.length < 8 ? 1 : 2
}

/** Letters and digits alone, without accents, in lower case. */
function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/[^\p{L}\p{N}]/gu, '')
    .toLowerCase()
}

function isComparable(folded: string): boolean {
  return folded.length >= 4 && folded.length <= 40
}
