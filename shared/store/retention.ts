import type { Sql } from './connect.ts'

/** One kind of row that is not kept for ever. */
export interface Retention {
  name: string
  /** Days after its end, from which on a row may go. */
  days: number
  /** Deletes at most `limit` rows that ended before `before`, the oldest first; returns how many. */
  deleteSome(sql: Sql, before: Date, limit: number): Promise<number>
}

const historyDays = 90
// Longer than any broker keeps an event (law 1). A dead letter may wait longer: what it names is compared again.
const inboxDays = 60
const deadLetterDays = 30
// A key that is forgotten could be claimed again; nothing calls a tool with an approval that old.
const writeDays = 180

/**
 * What is deleted, in this order: what hangs on a row goes before the row, so that no single delete takes more with it
 * than its batch. Dead letters that nobody decided about stay.
 */
export const retentions: readonly Retention[] = [
  {
    name: 'inbox',
    days: inboxDays,
    deleteSome: async (sql, before, limit) => {
      const { count } = await sql`
        delete from inbox where (consumer, source, event) in (
          select consumer, source, event from inbox where state = 'finished' and finished_at < ${before}
          order by finished_at limit ${limit})`
      return count
    },
  },
  {
    name: 'abandoned leases',
    days: inboxDays,
    deleteSome: async (sql, before, limit) => {
      const { count } = await sql`
        delete from inbox where (consumer, source, event) in (
          -- Leases live by Postgres' clock: one that holds by it stays, whatever time the caller has.
          select consumer, source, event from inbox
          where state = 'leased' and lease_until < least(${before}, now() - interval '1 day')
          order by lease_until limit ${limit})`
      return count
    },
  },
  {
    name: 'dead letters',
    days: deadLetterDays,
    deleteSome: async (sql, before, limit) => {
      const { count } = await sql`
        delete from dead_letters where id in (
          select id from dead_letters where state <> 'stored' and decided_at < ${before} order by decided_at limit ${limit})`
      return count
    },
  },
  {
    name: 'writes',
    days: writeDays,
    deleteSome: async (sql, before, limit) => {
      const { count } = await sql`
        delete from writes where key in (
          select key from writes where finished_at is not null and finished_at < ${before} order by finished_at limit ${limit})`
      return count
    },
  },
  {
    name: 'unfinished writes',
    days: writeDays,
    deleteSome: async (sql, before, limit) => {
      const { count } = await sql`
        delete from writes where key in (
          select key from writes where finished_at is null and not_after < ${before} order by not_after limit ${limit})`
      return count
    },
  },
  {
    name: 'turns',
    days: historyDays,
    deleteSome: async (sql, before, limit) => {
      const { count } = await sql`
        delete from turns where id in (select t.id from (${ended(sql, before)}) s join turns t on t.session = s.id limit ${limit})`
      return count
    },
  },
  {
    name: 'messages',
    days: historyDays,
    deleteSome: async (sql, before, limit) => {
      const { count } = await sql`
        delete from messages where (session, number) in (
          select m.session, m.number from (${ended(sql, before)}) s join messages m on m.session = s.id limit ${limit})`
      return count
    },
  },
  {
    name: 'requests',
    days: historyDays,
    deleteSome: async (sql, before, limit) => {
      const { count } = await sql`
        delete from requests where id in (
          select id from requests where state in ('answered', 'failed') and answered_at < ${before}
          order by answered_at limit ${limit})`
      return count
    },
  },
  {
    name: 'sessions',
    days: historyDays,
    deleteSome: async (sql, before, limit) => {
      const { count } = await sql`
        delete from sessions where id in (
          select s.id from (${ended(sql, before)}) s
          where not exists (select from turns where session = s.id) and not exists (select from messages where session = s.id)
            -- What was decided after the session ended belongs to a turn of a later one.
            and not exists (
              select from approvals a join tool_calls c on c.approval = a.id where a.session = s.id)
          limit ${limit})`
      return count
    },
  },
]

/** Sessions that were closed before then, and for which nobody's decision is waited for any more. */
function ended(sql: Sql, before: Date) {
  return sql`
    select c.id from sessions c where c.state = 'closed' and c.updated_at < ${before}
      and not exists (select from approvals a where a.session = c.id and a.state in ('open', 'granted') and a.continuation is not null)
    order by c.updated_at`
}
