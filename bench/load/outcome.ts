import type { Database } from '../../shared/store/connect.ts'

/** What Postgres has of one phase, once everything is quiet. */
export interface Outcome {
  requests: RequestRow[]
  turns: TurnRow[]
  messages: MessageRow[]
  /** Sessions that are still owed something. */
  unsettled: number
  /** Claims that nobody finished. A tick's own is not finished but given up: the next tick takes it, with a new fence. */
  leased: number
  deadLetters: number
  /** Requests whose event the keeper published again. */
  republished: number
}

export interface RequestRow {
  id: string
  person: string
  /** The order in which the door accepted them. */
  accepted: number
  acceptedAt: Date
  state: string
  session: string | null
  answer: string | null
  answeredAt: Date | null
}

export interface TurnRow {
  id: string
  session: string
  request: string
  state: string
  steps: number
  openedAt: Date
  finishedAt: Date | null
  deliveries: number
}

export interface MessageRow {
  session: string
  number: number
  role: 'employee' | 'agent'
  content: string
  request: string | null
  turn: string | null
  state: string
}

/** Requests of a phase that have their answer. */
export async function countAnswered(database: Database, domain: string): Promise<number> {
  const [row] = await database<{ count: number }[]>`
    select count(*)::int as count from requests
    where identity like ${`%@${domain}`} and state in ('answered', 'failed')`
  return row?.count ?? 0
}

/** Everything that came of the messages of one phase, whose people all have addresses of one domain. */
export async function readOutcome(database: Database, domain: string): Promise<Outcome> {
  const whose = `%@${domain}`
  const requests = await database<RequestRow[]>`
    select id, substr(identity, 7) as person, accepted::float8 as accepted, accepted_at as "acceptedAt", state, session,
      response ->> 'content' as answer, answered_at as "answeredAt"
    from requests where identity like ${whose} order by requests.accepted`
  const turns = await database<TurnRow[]>`
    select t.id, t.session, t.request, t.state, t.step as steps, t.opened_at as "openedAt",
      t.finished_at as "finishedAt", (select count(*)::int from deliveries d where d.turn = t.id) as deliveries
    from turns t join sessions s on s.id = t.session join people p on p.id = s.person
    where p.email like ${whose} order by t.session, t.message`
  const messages = await database<MessageRow[]>`
    select m.session, m.number, m.role, m.content, m.request, m.turn, m.state
    from messages m join sessions s on s.id = m.session join people p on p.id = s.person
    where p.email like ${whose} order by m.session, m.number`
  const [left] = await database<{ unsettled: number; leased: number; letters: number; republished: number }[]>`
    select (select count(*)::int from sessions s join people p on p.id = s.person
        where p.email like ${whose} and (s.turn is not null or s.pending_event is not null)) as unsettled,
      (select count(*)::int from inbox
        where state = 'leased' and not (source = '/keeper' and lease_until < now())) as leased,
      (select count(*)::int from requests where identity like ${whose} and republished > 0) as republished,
      (select count(*)::int from dead_letters) as letters`
  return {
    requests: [...requests],
    turns: [...turns],
    messages: [...messages],
    unsettled: left?.unsettled ?? 0,
    leased: left?.leased ?? 0,
    deadLetters: left?.letters ?? 0,
    republished: left?.republished ?? 0,
  }
}
