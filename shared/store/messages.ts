import type { Sql } from './connect.ts'

export interface QueuedMessage {
  number: number
  request: string
  traceparent: string
  /** The approval that this message is the decision of; null: an employee's words. */
  approval: string | null
}

/**
 * Appends every accepted and not yet queued request of a person, up to and including one, to the session's queue in
 * the order in which ingress accepted them; returns how many. The caller holds the session's lock.
 */
export async function queueRequests(
  sql: Sql,
  options: { session: string; person: string; upTo: string; now: Date },
): Promise<number> {
  const rows = await sql`
    with waiting as (
      select r.id, r.content, r.accepted, r.approval, r.after_failure
      from requests r join identities i on i.identity = r.identity
      where i.person = ${options.person} and r.state = 'accepted'
        and r.accepted <= (select accepted from requests where id = ${options.upTo})
      order by r.accepted
      for update of r
    ), numbered as (
      select w.id, w.content, w.approval, w.after_failure, s.last_message + row_number() over (order by w.accepted)::int as number
      from waiting w, sessions s where s.id = ${options.session}
    ), appended as (
      insert into messages (session, number, role, content, request, state, created_at)
      select ${options.session}, number, case when approval is not null then 'approver'
        when after_failure is not null then 'system' else 'employee' end, content, id, 'queued', ${options.now}
      from numbered
    ), advanced as (
      update sessions set last_message = last_message + (select count(*)::int from numbered), updated_at = ${options.now}
      where id = ${options.session} and exists (select 1 from numbered)
    )
    update requests r set state = 'queued', session = ${options.session}, message = n.number
    from numbered n where r.id = n.id
    returning r.id`
  return rows.length
}

/** The oldest message of a session that no turn has taken; null where the queue is empty. */
export async function headOfQueue(sql: Sql, session: string): Promise<QueuedMessage | null> {
  const [row] = await sql<QueuedMessage[]>`
    select m.number, m.request, r.traceparent, r.approval
    from messages m join requests r on r.id = m.request
    where m.session = ${session} and m.state = 'queued'
    order by m.number limit 1`
  return row ?? null
}

/** Marks a queued message as taken by a turn. */
export async function takeMessage(sql: Sql, session: string, number: number, turn: string): Promise<void> {
  await sql`
    update messages set state = 'taken', turn = ${turn}
    where session = ${session} and number = ${number} and state = 'queued'`
}

/** Closes the employee's message and appends the agent's answer to the history. The caller holds the session's lock. */
export async function appendAnswer(
  sql: Sql,
  options: { session: string; turn: string; content: string; now: Date },
): Promise<void> {
  await sql`
    with numbered as (
      update sessions set last_message = last_message + 1 where id = ${options.session} returning last_message
    ), closed as (
      update messages set state = 'done' where session = ${options.session} and turn = ${options.turn} and state = 'taken'
    )
    insert into messages (session, number, role, content, turn, state, created_at)
    select ${options.session}, last_message, 'agent', ${options.content}, ${options.turn}, 'done', ${options.now}
    from numbered`
}
