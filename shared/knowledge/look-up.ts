import type { Sql } from '../store/connect.ts'
import type { Row } from './source.ts'

/**
 * The rows of an agent's table in which every given field has exactly the given value (letter case and type count:
 * "3" is not 3), in the file's order; all rows where no field is given.
 */
export async function lookUp(sql: Sql, options: { agent: string; table: string; where: Row }): Promise<Row[]> {
  const where = sql.json(options.where)
  // Containment finds the rows by index, but would take part of a list or map for the whole.
  const rows = await sql<{ fields: Row }[]>`
    select fields from records
    where agent = ${options.agent} and name = ${options.table} and fields @> ${where}
      and not exists (select from jsonb_each(${where}) as given where fields -> given.key is distinct from given.value)
    order by number`
  return rows.map((row) => row.fields)
}
