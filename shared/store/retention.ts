import type { PendingQuery, Row } from 'postgres'
import type { Sql } from './connect.ts'

/** One kind of row that is not kept for ever. */
export interface Retention {
  name: string
  /** Days after its end, from which on a row may go. */
  days: number
  /** Whether more of it may be deleted once others are: a session's messages go before the session. */
  waitsForOthers: boolean
  /** Deletes at most `limit` rows that ended before `before`, the oldest first; returns how many. */
  deleteSome(sql: Sql, before: Date, limit: number): Promise<number>
}

const historyDays = 90
// Longer than any broker keeps an event (law 1). A dead letter may wait longer: what it names is compared again.
const inboxDays = 60
const deadLetterDays = 30
// A key that is forgotten could be claimed again; nothing calls a tool with an approval that old.
const writeDays = 180
const linkDays = 1
// Who did what is asked after a year's end.
const auditDays = 400

/**
 * What is deleted. What hangs on a row in numbers goes before the row, so that no single delete takes more with it than
 * a few times its batch, and no statement looks at more than a few batches. Dead letters that nobody decided about stay.
 */
export const retentions: readonly Retention[] = [
  {
    name: 'inbox',
    days: inboxDays,
    waitsForOthers: false,
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
    waitsForOthers: false,
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
    waitsForOthers: false,
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
    waitsForOthers: false,
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
    waitsForOthers: false,
    deleteSome: async (sql, before, limit) => {
      const { count } = await sql`
        delete from writes where key in (
          select key from writes where finished_at is null and not_after < ${before} order by not_after limit ${limit})`
      return count
    },
  },
  {
    name: 'links of accounts',
    days: linkDays,
    waitsForOthers: false,
    deleteSome: async (sql, before, limit) => {
      const { count } = await sql`
        delete from identity_links where hash in (
          select hash from identity_links where expires_at < ${before} order by expires_at limit ${limit})`
      return count
    },
  },
  {
    name: 'audit trail',
    days: auditDays,
    waitsForOthers: false,
    deleteSome: async (sql, before, limit) => {
      const { count } = await sql`
        delete from audit where id = any(array(select id from audit where at < ${before} order by at limit ${limit}))`
      return count
    },
  },
  {
    name: 'delivery targets',
    days: historyDays,
    waitsForOthers: false,
    deleteSome: async (sql, before, limit) => {
      const { count } = await sql`
        delete from delivery_targets where target in (
          select target from delivery_targets t where last_used_at < ${before}
            and not ${has(sql, sql`deliveries d where d.target = t.target and d.state in ('pending', 'sending')`)}
          order by last_used_at limit ${limit})`
      return count
    },
  },
  {
    name: 'steps',
    days: historyDays,
    waitsForOthers: true,
    deleteSome: async (sql, before, limit) => {
      const { count } = await sql`
        delete from steps where (turn, number) in (
          select p.turn, p.number from (${ended(sql, before, limit)}) s
            join turns t on t.session = s.id join steps p on p.turn = t.id
          limit ${limit})`
      return count
    },
  },
  {
    name: 'turns',
    days: historyDays,
    waitsForOthers: true,
    deleteSome: async (sql, before, limit) => {
      const { count } = await sql`
        delete from turns where id in (
          select t.id from (${ended(sql, before, limit)}) s join turns t on t.session = s.id
          where not ${has(sql, sql`steps where turn = t.id`)} limit ${limit})`
      return count
    },
  },
  {
    name: 'messages',
    days: historyDays,
    waitsForOthers: true,
    deleteSome: async (sql, before, limit) => {
      const { count } = await sql`
        delete from messages where (session, number) in (
          select m.session, m.number from (${ended(sql, before, limit)}) s join messages m on m.session = s.id
          limit ${limit})`
      return count
    },
  },
  {
    name: 'requests',
    days: historyDays,
    waitsForOthers: false,
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
    waitsForOthers: true,
    deleteSome: async (sql, before, limit) => {
      const { count } = await sql`
        delete from sessions where id in (
          select s.id from (${ended(sql, before, limit)}) s
          where not ${has(sql, sql`turns where session = s.id`)} and not ${has(sql, sql`messages where session = s.id`)}
            and not ${has(sql, sql`requests where session = s.id and state in ('answered', 'failed')`)}
            and not ${isKeptByLater(sql)})`
      return count
    },
  },
]

/**
 * The sessions that were closed first, before then, with something that can be deleted: not those for which somebody's
 * decision is waited for. Never more than `limit`: further ones come once these are gone.
 */
function ended(sql: Sql, before: Date, limit: number) {
  const waiting = sql`approvals where session = s.id and state in ('open', 'granted') and continuation is not null`
  return sql`
    select s.id from sessions s where s.state = 'closed' and s.updated_at < ${before} and not ${has(sql, waiting)}
      and (not ${isKeptByLater(sql)} or ${has(sql, sql`turns where session = s.id`)}
        or ${has(sql, sql`messages where session = s.id`)})
    order by s.updated_at limit ${limit}`
}

/** Whether what was asked in session s was decided in a later one, whose turn used it. */
function isKeptByLater(sql: Sql) {
  return has(
    sql,
    sql`approvals a join tool_calls c on c.approval = a.id join turns t on t.id = c.turn
      where a.session = s.id and t.session <> s.id`,
  )
}

/** Asked of each row by itself: an `exists` may be made a join, for which Postgres reads the other table as a whole. */
function has(sql: Sql, rows: PendingQuery<Row[]>) {
  return sql`coalesce((select true from ${rows} limit 1), false)`
}
