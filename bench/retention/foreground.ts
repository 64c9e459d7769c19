import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Database, Sql } from '../../shared/store/connect.ts'

/** One kind of statement of the load: into the tables that are being cleaned, and at the very rows that go next. */
type Work = (sql: Sql) => Promise<unknown>

const row = async (sql: Sql, person: string): Promise<void> => {
  const [session, request, turn] = [randomUUID(), randomUUID(), randomUUID()]
  await sql`insert into people (id, email) values (${person}, ${`${person}@now.example`}) on conflict do nothing`
  await sql`insert into sessions (id, person, expires_at) values (${session}, ${person}, now()) on conflict do nothing`
  const [open] = await sql<{ id: string }[]>`
    select id from sessions where person = ${person} and state = 'open' for update`
  const of = open?.id ?? session
  await sql`
    insert into requests (id, caller, identity, channel, body_hash, content, target, traceparent, event, session)
    values (${request}, 'now', ${`email:${person}`}, 'cli', '', 'words', '{}', '', 'event', ${of})`
  await sql`
    with numbered as (update sessions set last_message = last_message + 1 where id = ${of} returning last_message)
    insert into messages (session, number, role, content, request, state, created_at)
    select ${of}, last_message, 'employee', 'words', ${request}, 'done', now() from numbered`
  await sql`
    insert into turns (id, session, message, request, agent, opened_at, deadline)
    values (${turn}, ${of}, 1, ${request}, 'a', now(), now())`
  await sql`
    insert into steps (turn, number, agent, name, kind, started_at, finished_at)
    values (${turn}, 1, 'a', 's', 'decide', now(), now())`
  await sql`
    insert into deliveries (turn, target, channel, content, created_at) values (${turn}, '{}', 'cli', 'words', now())`
  await sql`update turns set state = 'answered', delivered = true, finished_at = now() where id = ${turn}`
  await sql`update requests set state = 'answered', answered_at = now() where id = ${request}`
}

const work: Record<string, Work> = {
  'inbox: take and finish': async (sql) => {
    const event = randomUUID()
    await sql`insert into inbox (consumer, source, event, state, lease_until) values ('agent', '/now', ${event}, 'leased', now())`
    await sql`update inbox set state = 'finished', finished_at = now() where event = ${event} and source = '/now' and consumer = 'agent'`
  },
  'inbox: an old event again': async (sql) => {
    await sql`
      update inbox set attempts = attempts + 1 where (consumer, source, event) = (
        select consumer, source, event from inbox where state = 'finished' order by finished_at limit 1)`
  },
  'dead letters: store': async (sql) => {
    await sql`
      insert into dead_letters (id, event, event_type, outcome, received_at)
      values (${randomUUID()}, 'event', 'x', 'closed', now())`
  },
  'dead letters: treat an old one': async (sql) => {
    await sql`
      update dead_letters set decided_by = 'y' where id = (
        select id from dead_letters where state <> 'stored' order by decided_at limit 1)`
  },
  'writes: claim and finish': async (sql) => {
    const key = randomUUID()
    await sql`
      insert into writes (key, tool, arguments_hash, person, state, not_after, claimed_at)
      values (${key}, 't', '', 'x', 'claimed', now(), now())`
    await sql`update writes set state = 'done', finished_at = now() where key = ${key}`
  },
  'writes: look at an old one': async (sql) => {
    await sql`
      select from writes where key = (select key from writes where finished_at is not null order by finished_at limit 1)
      for update`
  },
  'sessions: a late event': async (sql) => {
    await sql`
      select from sessions where id = (
        select id from sessions where state = 'closed' order by updated_at limit 1) for update`
  },
  'requests: an old one': async (sql) => {
    await sql`
      update requests set republished = republished + 1 where id = (
        select id from requests where state in ('answered', 'failed') order by answered_at limit 1)`
  },
  'attachments: begin and finish': async (sql) => {
    const id = randomUUID()
    await sql`
      insert into attachments (id, identity, caller, object, name, media_type, bytes, created_at, expires_at)
      values (${id}, 'x', 'now', 'k', 'n', 'text/plain', 1, now(), now() + interval '1 hour')`
    await sql`update attachments set sha256 = '', stored_at = now() where id = ${id}`
  },
  'attachments: an old one': async (sql) => {
    await sql`
      update attachments set request = null where id = (select id from attachments order by expires_at limit 1)`
  },
}

/** Milliseconds that each piece of work took, until the signal aborts; `lanes` at a time, each with a breath between two. */
export async function runForeground(database: Database, lanes: number, signal: AbortSignal): Promise<number[]> {
  const times: number[] = []
  const all: Work[] = [...Object.values(work), ...Object.keys(work).map((): Work => (sql) => row(sql, randomUUID()))]
  const lane = async (first: number): Promise<void> => {
    for (let turn = first; !signal.aborted; turn += 1) {
      const one = all[turn % all.length]
      const began = performance.now()
      if (one !== undefined) await database.begin(one)
      times.push(performance.now() - began)
      await pause(5)
    }
  }
  await Promise.all(Array.from({ length: lanes }, (_, index) => lane(index * 5)))
  return times
}
