import type { Sql } from '../store/connect.ts'
import { correctSpelling } from './spelling.ts'

/** A query as the rankers need it. */
export interface Question {
  agent: string
  /** The query itself, cleaned: for a ranker that does not go by words. */
  text: string
  words: Word[]
  /** The sum of weights that a passage has to match to count as an answer at all. */
  floor: number
}

export interface Word {
  /** A tsquery of one lexeme. */
  query: string
  /** 1 for a word that no document has, near 0 for one that all have. */
  weight: number
}

/** A word of the query, and what it is to Postgres: no lexeme for a stop word, several for some compounds. */
export interface Token {
  text: string
  lexemes: { query: string; documents: number }[]
}

// Far longer than any question; a pasted log file or mail thread is cut.
const longestQuery = 1000
const mostTokens = 80

/**
 * Takes a query apart into weighted words; null where it holds none. Words that no document of the agent has are
 * replaced by the documents' nearest spelling, where there is one.
 */
export async function readQuestion(sql: Sql, agent: string, query: string): Promise<Question | null> {
  const text = query.slice(0, longestQuery).toWellFormed().replaceAll('\0', ' ').normalize('NFKC').trim()
  const found = await countTokens(sql, agent, tokensOf(text).slice(0, mostTokens))
  const { replaced, by } = await correctSpelling(sql, agent, found.tokens)
  const corrected = by.length === 0 ? { tokens: [] } : await countTokens(sql, agent, by.flatMap(tokensOf))
  const tokens = [...found.tokens.filter((token) => !replaced.has(token)), ...corrected.tokens]
  const weights = new Map(
    tokens.flatMap((token) => token.lexemes).map((one) => [one.query, weigh(one.documents, found.total)]),
  )
  if (weights.size === 0) return null
  const words = [...weights].map(([word, weight]) => ({ query: word, weight }))
  return { agent, text, words, floor: floorOf(words) }
}

/**
 * Two fifths of what was asked, but no more than two middling words in the text, or one in a heading, so that a
 * long-winded message finds its one matching section.
 */
function floorOf(words: Word[]): number {
  const all = words.reduce((sum, word) => sum + word.weight, 0)
  return Math.min(0.4 * all, 0.8)
}

/**
 * How much a word tells: its inverse document frequency, as a share of that of an unknown word. Ten documents without
 * it are presumed, so that in a small folder one mention does not make a word worthless.
 */
function weigh(documents: number, total: number): number {
  const idf = (count: number) => Math.log(1 + (total + 10 - count + 0.5) / (count + 0.5))
  return idf(documents) / idf(0)
}

/** The same joints are taken apart in the passages' `words` (migration 0002). */
function tokensOf(text: string): string[] {
  return text.split(/[\s\-_/]+/u).filter((token) => /[\p{L}\p{N}]/u.test(token))
}

async function countTokens(sql: Sql, agent: string, texts: string[]): Promise<{ tokens: Token[]; total: number }> {
  const rows = await sql<{ position: number; query: string; documents: number; total: number }[]>`
    with lexemes as (
      -- A lexeme is quoted as a tsquery reads it: quotes and backslashes doubled.
      select t.position::int, '''' || replace(replace(l.lexeme, chr(92), repeat(chr(92), 2)), '''', '''''') || '''' as query
      from jsonb_array_elements_text(${sql.json(texts)}) with ordinality as t (token, position)
      cross join lateral unnest(to_tsvector('english', t.token)) as l
    ), counted as (
      select query, (
        select count(distinct name)::int from passages where agent = ${agent} and words @@ query::tsquery) as documents
      from (select distinct query from lexemes) as distinct_lexemes
    )
    select position, query, documents, (
      select count(*)::int from knowledge_sources where agent = ${agent} and kind = 'document') as total
    from lexemes join counted using (query)`
  const tokens = texts.map((text, index) => ({
    text,
    lexemes: rows.filter((row) => row.position === index + 1).map(({ query, documents }) => ({ query, documents })),
  }))
  return { tokens, total: rows[0]?.total ?? 0 }
}
