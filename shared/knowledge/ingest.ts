import type { Database, Transaction } from '../store/connect.ts'
import type { Source } from './source.ts'
import { spellingsOf } from './spelling.ts'

/** What an ingestion did, as `agent/name`. */
export interface Ingested {
  added: string[]
  replaced: string[]
  removed: string[]
  unchanged: string[]
}

/**
 * Makes the database hold exactly this knowledge. A source whose content hash is known is not touched; any other is
 * swapped in a transaction of its own, so that a reader sees the old or the new, whole; what no longer exists goes
 * with all its rows. Several processes at once are safe: each source is swapped once.
 */
export async function ingest(database: Database, knowledge: Source[]): Promise<Ingested> {
  const done: Ingested = { added: [], replaced: [], removed: [], unchanged: [] }
  const known = await database<{ agent: string; name: string; hash: string }[]>`
    select agent, name, content_hash as hash from knowledge_sources`
  const hashes = new Map(known.map(({ agent, name, hash }) => [`${agent}/${name}`, hash]))
  for (const source of knowledge) {
    const key = `${source.agent}/${source.name}`
    const outcome = hashes.get(key) === source.contentHash ? 'unchanged' : await swap(database, source)
    done[outcome].push(key)
    hashes.delete(key)
  }
  if (hashes.size > 0) done.removed = await removeOthers(database, knowledge)
  return done
}

async function swap(database: Database, source: Source): Promise<'added' | 'replaced' | 'unchanged'> {
  return database.begin(async (sql) => {
    const { agent, name, contentHash: hash } = source
    // The first of several processes swaps; the others wait here and then find it done.
    await sql`select pg_advisory_xact_lock(hashtextextended(${`knowledge ${agent}/${name}`}, 0))`
    const [before] = await sql<{ hash: string }[]>`
      select content_hash as hash from knowledge_sources where agent = ${agent} and name = ${name}`
    if (before?.hash === hash) return 'unchanged'
    await sql`delete from knowledge_sources where agent = ${agent} and name = ${name}`
    await sql`
      insert into knowledge_sources (agent, name, kind, content_hash) values (${agent}, ${name}, ${source.kind}, ${hash})`
    await insertRows(sql, source)
    return before ? 'replaced' : 'added'
  })
}

async function insertRows(sql: Transaction, source: Source): Promise<void> {
  const { agent, name } = source
  if (source.kind === 'records') {
    await sql`
      insert into records (agent, name, number, fields)
      select ${agent}, ${name}, number, fields
      from jsonb_array_elements(${sql.json(source.rows)}) with ordinality as row (fields, number)`
  } else {
    await sql`
      insert into passages (agent, name, number, title, heading, content)
      select ${agent}, ${name}, number, ${source.title}, section ->> 'heading', section ->> 'content'
      from jsonb_array_elements(${sql.json(source.sections.map((section) => ({ ...section })))})
        with ordinality as row (section, number)`
    const spellings = spellingsOf(source.title, source.sections).map((spelling) => ({ ...spelling }))
    await sql`
      insert into spellings (agent, name, spelled, folded)
      select ${agent}, ${name}, spelled, folded
      from jsonb_to_recordset(${sql.json(spellings)}) as row (spelled text, folded text)`
  }
}

async function removeOthers(database: Database, knowledge: Source[]): Promise<string[]> {
  const kept = knowledge.map(({ agent, name }) => ({ agent, name }))
  const removed = await database<{ key: string }[]>`
    delete from knowledge_sources s
    where not exists (
      select from jsonb_to_recordset(${database.json(kept)}) as kept (agent text, name text)
      where kept.agent = s.agent and kept.name = s.name)
    returning s.agent || '/' || s.name as key`
  return removed.map((row) => row.key).sort()
}
