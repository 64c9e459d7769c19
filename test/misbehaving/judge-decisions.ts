import type { Database } from '../../shared/store/connect.ts'

/**
 * What must hold of each question to somebody else, whatever is on its way: it is decided or it expires, by the clock of
 * whoever did it and never both, and exactly one message tells the conversation so. Empty: it holds.
 */
export async function findBrokenDecisions(database: Database): Promise<string[]> {
  const rows = await database<{ broken: string }[]>`
    with asked as (
      select a.*, case state when 'declined' then 'Declined.' when 'expired' then 'Not decided in time.'
        when 'open' then null else 'Approved.' end as words
      from approvals a where continuation is not null
    )
    select 'an approval that is ' || a.state || ' with ' || count(r.id) || ' requests: ' || a.id as broken
      from asked a left join requests r on r.approval = a.id group by a.id, a.state
      having count(r.id) <> case a.state when 'open' then 0 else 1 end
    union all
    select 'an approval that is ' || a.state || ' and told as ' || r.content || ': ' || a.id
      from asked a join requests r on r.approval = a.id where r.content is distinct from a.words
    union all
    select 'decided out of its time: ' || id from asked
      where decided_at is not null and (state = 'expired') is distinct from (decided_at >= expires_at)
    union all
    select 'decided by ' || coalesce(decided_by, 'nobody') || ' and ' || state || ': ' || id from asked
      where state <> 'open' and (state = 'expired') is distinct from (decided_by = 'keeper')
    union all
    select count(*) || ' messages tell of ' || r.approval from messages m join requests r on r.id = m.request
      where r.approval is not null group by r.approval having count(*) > 1
    union all
    select count(*) || ' turns go on from ' || r.approval from turns t join requests r on r.id = t.request
      where r.approval is not null group by r.approval having count(*) > 1
    union all
    select 'an employee''s message tells of a decision: ' || r.approval from messages m join requests r on r.id = m.request
      where (r.approval is null) is distinct from (m.role = 'employee')`
  return rows.map(({ broken }) => broken)
}

/** The same once all is settled: each decision was told and taken up, and nothing waits past its time. */
export async function findBrokenDecisionsAtRest(database: Database, now: Date): Promise<string[]> {
  const rows = await database<{ broken: string }[]>`
    select 'nobody was told that time is up: ' || id as broken from approvals
      where state = 'open' and continuation is not null and expires_at <= ${now}
    union all
    select 'told in ' || count(m.number) || ' messages and ' || count(t.id) || ' turns: ' || a.id
      from approvals a join requests r on r.approval = a.id
        left join messages m on m.request = r.id left join turns t on t.request = r.id
      where a.continuation is not null and r.state <> 'failed' group by a.id
      having count(m.number) <> 1 or count(t.id) <> 1
    union all
    select 'an open session past its time: ' || id from sessions where state = 'open' and expires_at <= ${now}`
  return [...(await findBrokenDecisions(database)), ...rows.map(({ broken }) => broken)]
}
