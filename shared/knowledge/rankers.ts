import type { Sql } from '../store/connect.ts'
import type { Question } from './question.ts'

export interface Found {
  name: string
  number: number
}

/**
 * Puts the passages that it takes for an answer in order, best first; none where nothing is. Each has its own floor:
 * what no ranker finds is not found.
 */
export type Ranker = (sql: Sql, question: Question) => Promise<Found[]>

/** Passages looked at by the fusion, of each ranker. */
const depth = 30

/** By how much of what was asked a passage says: the weights of the words it has, twice in a heading or title. */
export const byWeight: Ranker = (sql, question) => sql<Found[]>`
  select name, number from ${matching(sql, question)} as matching
  order by weight desc, name, number limit ${depth}`

/** By how close together the words stand, and how often; longer passages count a little less. */
export const byCover: Ranker = (sql, question) => {
  const any = question.words.map((word) => word.query).join(' | ')
  return sql<Found[]>`
    select name, number from ${matching(sql, question)} as matching
    order by ts_rank_cd('{0.1, 0.2, 0.6, 1.0}', words, ${any}::tsquery, 1) desc, name, number limit ${depth}`
}

function matching(sql: Sql, question: Question) {
  return sql`(
    select p.name, p.number, p.words, sum(w.weight * case when p.words @@ (w.query || ':AB')::tsquery then 2 else 1 end)
      as weight
    from jsonb_to_recordset(${sql.json(question.words.map((word) => ({ ...word })))}) as w (query text, weight float8)
    join passages p on p.words @@ w.query::tsquery
    where p.agent = ${question.agent}
    group by p.agent, p.name, p.number
    having sum(w.weight * case when p.words @@ (w.query || ':AB')::tsquery then 2 else 1 end) >= ${question.floor}
  )`
}
