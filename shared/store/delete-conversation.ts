import type { Database, Sql, Transaction } from './connect.ts'
import { lockSession } from './sessions.ts'

/** Why a conversation cannot be deleted now, as whoever asks for it reads it. */
export type Hindrance =
  | 'a message of it is being answered: wait for the answer'
  | 'somebody is asked for a decision on a request of it: wait for the decision'
  | 'it is not known yet what became of a ticket of it: try again in a few minutes'
  | 'what was asked in it was decided in a later conversation: delete that one first'

export type Deleted = { kind: 'deleted' } | { kind: 'hindered'; why: Hindrance } | { kind: 'not-found' }

/** Rows of one table at a time, so that no statement holds its locks for long. */
const batch = 500
const objectBatch = 50

/**
 * Deletes a conversation, with all that Postgres and the object store hold of it: first it is closed under its lock, so
 * that nothing goes on in it, then its parts go in batches, and last its row, in one transaction with what `note` writes.
 * A run that was broken off is gone on with by the next. Without a `deleteObject` its files stay until the keeper's next
 * tick, with the rows that know where they are.
 * @throws Fault whatever `deleteObject` throws; all that was deleted by then stays deleted
 */
export async function deleteConversation(
  database: Database,
  options: {
    id: string
    now: Date
    deleteObject?: ((key: string) => Promise<void>) | undefined
    note(sql: Sql): Promise<void>
  },
): Promise<Deleted> {
  const { id, now, deleteObject, note } = options
  const begun = await database.begin((sql) => close(sql, id, now))
  if (begun.kind !== 'deleted') return begun
  await deleteFiles(database, id, { now, deleteObject })
  for (const some of places(database, id)) {
    for (let count = batch; count === batch; ) count = (await some(batch)).count
  }
  await database.begin(async (sql) => {
    const { count } = await sql`delete from sessions where id = ${id}`
    // Two at once: one of them has deleted it.
    if (count > 0) await note(sql)
  })
  return begun
}

async function close(sql: Transaction, id: string, now: Date): Promise<Deleted> {
  const session = await lockSession(sql, id)
  if (session === null) return { kind: 'not-found' }
  const [found] = await sql<{ queued: boolean; waits: boolean; files: boolean; later: boolean }[]>`
    select
      exists (select from messages where session = ${id} and state <> 'done' and role <> 'agent') as queued,
      exists (select from approvals where session = ${id} and state in ('open', 'granted') and continuation is not null)
        as waits,
      exists (select from approvals a left join tool_calls c on c.approval = a.id left join writes w on w.key = a.id
        where a.session = ${id} and a.state = 'used'
          and (c.state = 'started' or (w.finished_at is null and w.not_after + interval '1 minute' > ${now}))) as files,
      exists (select from approvals a join tool_calls c on c.approval = a.id join turns t on t.id = c.turn
        where a.session = ${id} and t.session <> ${id}) as later`
  const hindered = (why: Hindrance): Deleted => ({ kind: 'hindered', why })
  if (session.turn !== null || session.pending || found?.queued) {
    return hindered('a message of it is being answered: wait for the answer')
  }
  if (found?.waits) return hindered('somebody is asked for a decision on a request of it: wait for the decision')
  if (found?.files) {
    return hindered('it is not known yet what became of a ticket of it: try again in a few minutes')
  }
  if (found?.later) return hindered('what was asked in it was decided in a later conversation: delete that one first')
  await sql`update sessions set state = 'closed', updated_at = ${now} where id = ${id}`
  return { kind: 'deleted' }
}

/** First the bytes, then the row that knows where they are. */
async function deleteFiles(
  sql: Sql,
  id: string,
  { now, deleteObject }: { now: Date; deleteObject?: ((key: string) => Promise<void>) | undefined },
): Promise<void> {
  const own = sql`request in (select id from requests where session = ${id})`
  if (deleteObject === undefined) {
    await sql`update attachments set expires_at = least(expires_at, ${now}) where ${own}`
    return
  }
  for (let some = objectBatch; some === objectBatch; ) {
    const found = await sql<{ id: string; object: string }[]>`
      select id, object from attachments where ${own} limit ${objectBatch}`
    for (const { object } of found) await deleteObject(object)
    await sql`delete from attachments where id = any(${`{${found.map(({ id }) => id).join(',')}}`}::text::uuid[])`
    some = found.length
  }
}

/** Where a conversation is, in the order in which it can go. */
function places(sql: Sql, id: string): ((limit: number) => PromiseLike<{ count: number }>)[] {
  // Events and stored replies name the session as their subject, in the time in which it had any.
  return [
    (limit) => sql`
      delete from inbox where (consumer, source, event) in (
        select i.consumer, i.source, i.event from sessions s
          join inbox i on i.state = 'finished' and i.finished_at >= s.created_at - interval '1 hour'
        where s.id = ${id} and position(${id} in i.reply) > 0 limit ${limit})`,
    (limit) => sql`
      delete from dead_letters where id in (
        select id from dead_letters d where d.session = ${id} or position(${id} in d.event) > 0 or exists (
          select from requests r where r.session = ${id} and position(r.id::text in d.event) > 0) limit ${limit})`,
    // A thread may be shared; it is kept where anything else went there.
    (limit) => sql`
      delete from delivery_targets where target in (
        select distinct d.target from deliveries d join turns t on t.id = d.turn where t.session = ${id}
          and not exists (
            select from deliveries o join turns u on u.id = o.turn where o.target = d.target and u.session <> ${id})
          and exists (select from delivery_targets where target = d.target) limit ${limit})`,
    (limit) => sql`
      delete from writes where key in (
        select w.key from approvals a join writes w on w.key = a.id where a.session = ${id} limit ${limit})`,
    (limit) => sql`delete from turns where id in (select id from turns where session = ${id} limit ${limit})`,
    (limit) => sql`
      delete from messages where (session, number) in (
        select session, number from messages where session = ${id} limit ${limit})`,
    (limit) => sql`delete from requests where id in (select id from requests where session = ${id} limit ${limit})`,
  ]
}
