import type { Sql } from './connect.ts'

/** Which conversations are meant; what is null excludes nothing. */
export interface ConversationFilter {
  /** Address of the person whose they are. */
  person: string | null
  id: string | null
  state: 'open' | 'closed' | null
  /** Which agent it stands at. */
  agent: string | null
  /** Begun at this moment or later, and before that one. */
  from: Date | null
  to: Date | null
}

/** A conversation without a word of it. */
export interface ListedConversation {
  id: string
  person: string
  state: 'open' | 'closed'
  agent: string | null
  /** How many messages it has. */
  messages: number
  /** The ticket of the person who has it now; null: the agent has it. */
  handoff: string | null
  createdAt: Date
  updatedAt: Date
  /** Where the next page begins. */
  cursor: string
}

/** `moment~id`: the moment to the microsecond, which no Date holds. */
export const cursorForm = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)~([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/**
 * Conversations that a filter lets through, newest first, at most `limit`, older than the cursor's. What begins while
 * somebody turns pages comes before the first page, so that no page loses or repeats anything.
 */
export async function listConversations(
  sql: Sql,
  filter: ConversationFilter,
  page: { after: string | null; limit: number },
): Promise<ListedConversation[]> {
  const { person, id, state, agent, from, to } = filter
  const [, moment = null, last = null] = cursorForm.exec(page.after ?? '') ?? []
  return await sql<ListedConversation[]>`
    select s.id, p.email as person, s.state, s.agent, s.last_message as messages, h.ticket as handoff,
      s.created_at as "createdAt", s.updated_at as "updatedAt",
      to_char(s.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '~' || s.id as cursor
    from sessions s join people p on p.id = s.person
      left join handoffs h on h.session = s.id and h.state = 'open'
    where (${moment}::text is null or (s.created_at, s.id) < (${moment}::text::timestamptz, ${last}::text::uuid))
      ${person === null ? sql`` : sql`and s.person = (select person from identities where identity = ${`email:${person}`})`}
      ${id === null ? sql`` : sql`and s.id = ${id}`}
      ${state === null ? sql`` : sql`and s.state = ${state}`}
      ${agent === null ? sql`` : sql`and s.agent = ${agent}`}
      ${from === null ? sql`` : sql`and s.created_at >= ${from}`}
      ${to === null ? sql`` : sql`and s.created_at < ${to}`}
    order by s.created_at desc, s.id desc limit ${page.limit}`
}

/** Whether a conversation is this person's; null: there is none of that id. */
export async function isOwnConversation(sql: Sql, id: string, email: string | null): Promise<boolean | null> {
  const [row] = await sql<{ own: boolean }[]>`
    select exists (
      select from identities i where i.person = s.person and i.identity = 'email:' || ${email}::text) as own
    from sessions s where s.id = ${id}`
  return row?.own ?? null
}
