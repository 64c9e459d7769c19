import type { Database } from '../../shared/store/connect.ts'

/** One person's conversation, as it was answered: what was said and what came back, in the order of the answers. */
export type Transcript = [said: string, answer: string][]

/** Every person's, by e-mail address; a later session of the same person follows the earlier one. */
export async function readTranscripts(database: Database): Promise<Record<string, Transcript>> {
  const rows = await database<{ email: string; said: string; answer: string }[]>`
    select p.email, e.content as said, a.content as answer
    from messages a join turns t on t.id = a.turn join messages e on e.session = t.session and e.number = t.message
      join sessions s on s.id = a.session join people p on p.id = s.person
    where a.role = 'agent' order by p.email, s.created_at, a.number`
  const transcripts: Record<string, Transcript> = {}
  for (const { email, said, answer } of rows) {
    transcripts[email] ??= []
    transcripts[email].push([said, answer])
  }
  return transcripts
}

/** True once every request has its answer and no session is owed anything. */
export async function isSettled(database: Database): Promise<boolean> {
  const [row] = await database<{ settled: boolean }[]>`
    select not exists (select from requests where state in ('accepted', 'queued'))
      and not exists (select from sessions where turn is not null or pending_event is not null)
      and not exists (select from turns where state in ('open', 'waiting') or not delivered) as settled`
  return row?.settled ?? false
}

/** What must hold at any moment, whatever is on its way. Empty: it does. */
export async function findBroken(database: Database): Promise<string[]> {
  const rows = await database<{ broken: string }[]>`
    select 'two open turns in session ' || session as broken from turns
      where state in ('open', 'waiting') group by session having count(*) > 1
    union all
    select 'an open turn that is not its session''s: ' || t.id from turns t join sessions s on s.id = t.session
      where t.state in ('open', 'waiting') and s.turn is distinct from t.id
    union all
    select 'a queued message, and nothing will begin it: session ' || s.id from sessions s
      where s.turn is null and s.pending_event is null
        and exists (select from messages m where m.session = s.id and m.state = 'queued')
    union all
    select 'a session at a turn, and nothing will move it on: ' || s.id from sessions s
      join turns t on t.id = s.turn
      where s.pending_event is null and t.state <> 'waiting'
    union all
    select 'answers out of order in session ' || session from (
      select a.session, t.message < lag(t.message) over (partition by a.session order by a.number) as late
      from messages a join turns t on t.id = a.turn where a.role = 'agent') answers
      where late
    union all
    select 'queued out of order: session ' || session from (
      select m.session, r.accepted < lag(r.accepted) over (partition by m.session order by m.number) as late
      from messages m join requests r on r.id = m.request) queued
      where late
    union all
    select 'answered more than once: turn ' || turn from messages where role = 'agent' group by turn having count(*) > 1
    union all
    select 'two turns for one request: ' || request from turns group by request having count(*) > 1
    union all
    select 'delivered more than once: turn ' || turn from deliveries group by turn having count(*) > 1`
  return rows.map(({ broken }) => broken)
}

/** As {@link findBroken}, and what must hold besides once all is settled: each answer was delivered, none is missing. */
export async function findBrokenAtRest(database: Database): Promise<string[]> {
  const rows = await database<{ broken: string }[]>`
    select 'request ' || id || ' is ' || state as broken from requests where state in ('accepted', 'queued')
    union all
    select 'session ' || id || ' still stands at a turn' from sessions where turn is not null
    union all
    select 'session ' || id || ' still waits for an event' from sessions where pending_event is not null
    union all
    select 'message ' || number || ' of ' || session || ' is ' || state from messages where state <> 'done'
    union all
    select 'turn ' || t.id || ' was delivered ' || count(d.turn) || ' times' from turns t
      left join deliveries d on d.turn = t.id group by t.id having count(d.turn) <> 1
    union all
    select 'the answer of request ' || r.id || ' is not its turn''s' from requests r
      join turns t on t.request = r.id
      where r.response ->> 'content' is distinct from t.response::jsonb -> 'data' ->> 'content'`
  return [...(await findBroken(database)), ...rows.map(({ broken }) => broken)]
}

/** Empties what conversations leave behind; what the agents know stays. */
export async function forgetConversations(database: Database): Promise<void> {
  await database`truncate people, sessions, requests, inbox, dead_letters, writes restart identity cascade`
}
