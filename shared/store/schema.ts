import type { Sql } from './connect.ts'

/**
 * Describes the schema `public` as stable text: functions, and of each table its columns, constraints, indexes and triggers, in an order
 * that no dump or migration history changes. It is kept in git, so that a change of the schema is read in its review.
 */
export async function describeSchema(sql: Sql): Promise<string> {
  const extensions = await sql<{ name: string }[]>`
    select extname as name from pg_extension where extname <> 'plpgsql' order by extname collate "C"`
  // The catalogue spells constraints and defaults by what the search path lets it leave out.
  const columns = await sql<Line[]>`
    select c.relname as "table",
      '  ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || case when a.attnotnull then ' not null' else '' end
        || case a.attidentity when 'a' then ' identity always' when 'd' then ' identity by default' else '' end
        || case
             when d.adbin is null then ''
             when a.attgenerated <> '' then ' generated as ' || pg_get_expr(d.adbin, d.adrelid)
             else ' default ' || pg_get_expr(d.adbin, d.adrelid)
           end as text
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
    order by c.relname collate "C", a.attname collate "C"`
  // 'n' is a NOT NULL, which the column already says.
  const constraints = await sql<Line[]>`
    select c.relname as "table", '  constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid, true) as text
    from pg_constraint k join pg_class c on c.oid = k.conrelid
    where c.relnamespace = 'public'::regnamespace and k.contype <> 'n'
    order by c.relname collate "C", k.conname collate "C"`
  const indexes = await sql<Line[]>`
    select c.relname as "table", '  ' || regexp_replace(pg_get_indexdef(i.indexrelid), '^CREATE ', '') as text
    from pg_index i join pg_class c on c.oid = i.indrelid
    where c.relnamespace = 'public'::regnamespace
      and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
    order by c.relname collate "C", pg_get_indexdef(i.indexrelid) collate "C"`
  const triggers = await sql<Line[]>`
    select c.relname as "table", '  ' || regexp_replace(pg_get_triggerdef(t.oid, true), '^CREATE ', '') as text
    from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where c.relnamespace = 'public'::regnamespace and not t.tgisinternal
    order by c.relname collate "C", t.tgname collate "C"`
  // An extension's functions are its own.
  const functions = await sql<{ text: string }[]>`
    select pg_get_functiondef(p.oid) as text from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.prokind = 'f'
      and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
    order by p.proname collate "C"`
  const tables = [...new Set(columns.map((line) => line.table))]
  const parts = [columns, constraints, indexes, triggers]
  const described = tables.map((table) => {
    const lines = parts.flatMap((part) => part.filter((line) => line.table === table).map((line) => line.text))
    return `table ${table}\n${lines.join('\n')}\n`
  })
  return [
    ...extensions.map(({ name }) => `extension ${name}\n`),
    ...functions.map(({ text }) => text),
    ...described,
  ].join('\n')
}

interface Line {
  table: string
  text: string
}
