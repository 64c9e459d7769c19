import type { Sql } from './connect.ts'

/** How far somebody has read, and where. */
export interface Place {
  email: string
  /** The conversation that they saw last; null: none yet. */
  session: string | null
  /** The number of the last message that they have of it; null: only the newest `recent` are wanted. */
  after: number | null
}

export interface Progress {
  /** The person's open conversation; null: there is none. */
  session: string | null
  agent: string | null
  messages: ShownMessage[]
  /** What is being done; null: nothing, every message has its answer. */
  work: Work | null
}

export interface Work {
  /** `queued`: not begun. `working`: a step runs or is about to. `waiting`: for a model that is away. */
  state: 'queued' | 'working' | 'waiting'
  agent: string | null
  /** How many steps of the turn are done. */
  step: number
  /** The name of the step that the flow stands at; null: the first. */
  at: string | null
}

export interface ShownMessage {
  number: number
  role: 'employee' | 'approver' | 'agent' | 'system'
  content: string
  /** By which it came in; null: an answer. */
  request: string | null
  channel: string | null
  /** The agent that answered. */
  agent: string | null
  /** Of an answer: what can be pressed, as the agent left it. */
  metadata: Record<string, unknown>
  createdAt: Date
}

interface StateRow {
  place: number
  session: string | null
  agent: string | null
  last_message: number | null
  waiting: boolean
  turn_state: string | null
  turn_agent: string | null
  step: number | null
  at: string | null
}

/** So many messages of a conversation are given to somebody who has none of them yet. */
export const recent = 50
/** So many at once; the next look gives the next. */
const page = 100

/**
 * What is new at each of these places, in their order: two queries however many they are. A conversation that was
 * followed up by another one is given from its beginning.
 */
export async function findProgress(sql: Sql, places: readonly Place[]): Promise<Progress[]> {
  const emails = JSON.stringify(places.map(({ email }) => email))
  const states = await sql<StateRow[]>`
    select a.place::int, s.id as session, s.agent, s.last_message, t.state as turn_state, t.agent as turn_agent, t.step,
      t.flow->>'at' as at,
      exists (select from requests r where r.identity = 'email:' || a.email and r.state = 'accepted')
        or exists (select from messages m where m.session = s.id and m.state = 'queued') as waiting
    from jsonb_array_elements_text(${emails}::text::jsonb) with ordinality a(email, place)
      left join identities i on i.identity = 'email:' || a.email
      left join sessions s on s.person = i.person and s.state = 'open'
      left join turns t on t.id = s.turn and t.state in ('open', 'waiting')
    order by a.place`
  const wanted = states.flatMap((state, index) => {
    const { session, last_message: last } = state
    if (session === null || last === null) return []
    const known = places[index]
    const after = known?.session === session ? known.after : null
    const from = after ?? Math.max(0, last - recent)
    return from < last ? [{ place: state.place, session, from }] : []
  })
  const messages = wanted.length === 0 ? [] : await findMessages(sql, wanted)
  return states.map((state) => ({
    session: state.session,
    agent: state.agent,
    messages: messages.filter(({ place }) => place === state.place).map(({ message }) => message),
    work: workOf(state),
  }))
}

function workOf({ turn_state, turn_agent, step, at, waiting }: StateRow): Work | null {
  if (turn_state === null) return waiting ? { state: 'queued', agent: null, step: 0, at: null } : null
  return { state: turn_state === 'waiting' ? 'waiting' : 'working', agent: turn_agent, step: step ?? 0, at }
}

interface MessageRow {
  place: number
  number: number
  role: ShownMessage['role']
  content: string
  request: string | null
  channel: string | null
  response: string | null
  created_at: Date
}

async function findMessages(
  sql: Sql,
  wanted: { place: number; session: string; from: number }[],
): Promise<{ place: number; message: ShownMessage }[]> {
  const rows = await sql<MessageRow[]>`
    select a.place, m.number, m.role, m.content, m.request, r.channel, m.created_at,
      case when m.role = 'agent' then t.response end as response
    from jsonb_to_recordset(${JSON.stringify(wanted)}::text::jsonb) a(place int, session uuid, "from" int)
      join messages m on m.session = a.session and m.number > a."from" and m.number <= a."from" + ${page}
      left join requests r on r.id = m.request
      left join turns t on t.id = m.turn
    order by a.place, m.number`
  return rows.map(({ place, response, created_at, ...row }) => {
    const { agent_id, metadata } = dataOf(response)
    return { place, message: { ...row, agent: agent_id ?? null, metadata: metadata ?? {}, createdAt: created_at } }
  })
}

/** Of the response-ready event that the turn ended with: our own bytes. */
function dataOf(response: string | null): { agent_id?: string; metadata?: Record<string, unknown> } {
  return response === null ? {} : ((JSON.parse(response) as { data?: object }).data ?? {})
}
