import type { Sql } from '../store/connect.ts'
import { readQuestion } from './question.ts'
import { byCover, byWeight, type Found, type Ranker } from './rankers.ts'
import type { Passage } from './source.ts'

/**
 * The passages of an agent's documents that answer a query, best first; none where nothing does. Any text is a query:
 * it has no syntax.
 */
export async function search(
  sql: Sql,
  options: { agent: string; query: string; limit: number },
  rankers: Ranker[] = [byWeight, byCover],
): Promise<Passage[]> {
  const question = await readQuestion(sql, options.agent, options.query)
  if (question === null) return []
  const best = fuse(await Promise.all(rankers.map((rank) => rank(sql, question)))).slice(0, options.limit)
  if (best.length === 0) return []
  return sql<Passage[]>`
    select p.name, p.title, p.heading, p.content, best.score
    from jsonb_to_recordset(${sql.json(best.map((one) => ({ ...one })))}) as best (name text, number int, score float8)
    join passages p on p.agent = ${options.agent} and p.name = best.name and p.number = best.number
    order by best.score desc, best.name, best.number`
}

/**
 * Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): a passage scores 1 / (60 + rank) in every list that has
 * it, so that rankers whose scores cannot be compared agree on an order.
 */
export function fuse(lists: Found[][]): (Found & { score: number })[] {
  const scores = new Map<string, Found & { score: number }>()
  for (const list of lists) {
    list.forEach(({ name, number }, index) => {
      const key = `${number} ${name}`
      const score = (scores.get(key)?.score ?? 0) + 1 / (60 + index + 1)
      scores.set(key, { name, number, score })
    })
  }
  return [...scores.values()].sort((one, other) => other.score - one.score)
}
