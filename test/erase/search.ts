import type { Database } from '../../shared/store/connect.ts'

/** Where some words stand in a database: every column of every table, whatever its type, as `table.column`. */
export async function findEverywhere(database: Database, words: readonly string[]): Promise<string[]> {
  const columns = await database<{ table: string; column: string; type: string }[]>`
    select c.table_name as table, c.column_name as column, c.data_type as type
    from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = 'public' and t.table_type = 'BASE TABLE' order by 1, c.ordinal_position`
  const found: string[] = []
  for (const { table, column, type } of columns) {
    const rows = await database<{ text: string }[]>`
      select distinct ${type === 'bytea' ? bytesAsText(database, column) : database`${database(column)}::text`} as text
      from ${database(table)} where ${database(column)} is not null`
    const texts = rows.map(({ text }) => text.toLowerCase())
    const hit = words.find((word) => texts.some((text) => text.includes(word.toLowerCase())))
    if (hit !== undefined) found.push(`${table}.${column}: ${hit}`)
  }
  return found
}

/** Bytes as the text that they may be, and as their digits. */
function bytesAsText(database: Database, column: string) {
  return database`encode(${database(column)}, 'escape') || ' ' || encode(${database(column)}, 'hex')`
}

/** The ids of all rows that hang on a person, by the foreign keys and by what names an identity of theirs. */
export async function idsOf(database: Database, email: string): Promise<string[]> {
  const rows = await database<{ id: string }[]>`
    with person as (select id from people where email = ${email}),
      session as (select id from sessions where person in (select id from person)),
      request as (select id from requests where identity = ${`email:${email}`} or session in (select id from session)),
      turn as (select id from turns where session in (select id from session))
    select id from person union all select id from session union all select id from request union all select id from turn
    union all select id from approvals where session in (select id from session)
    union all select key from writes where person = ${email}
    union all select id from attachments where identity = ${`email:${email}`}
    union all select id from dead_letters where session in (select id from session)`
  return rows.map(({ id }) => id)
}
