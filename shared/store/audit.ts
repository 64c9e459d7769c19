import type { Caller } from '../identity/caller.ts'
import type { Sql } from './connect.ts'

export interface AuditEntry {
  /** Address of the person, or subject of the program. */
  actor: string
  /** Address of the person for whom it was done; null: for the actor. */
  onBehalfOf?: string | null
  action: Action
  /** What it was done to. */
  subject: string
  /** Circumstances, never content: no name of a person, no word of a message. */
  detail?: Record<string, string | number | boolean | readonly string[]>
}

/** What is written down. */
export type Action =
  | 'identity.linked'
  | 'identity.unlinked'
  | 'preferences.changed'
  | 'api-key.created'
  | 'api-key.rotated'
  | 'api-key.revoked'
  | 'approval.granted'
  | 'approval.declined'
  | 'ticket.filed'
  | 'conversation.read'
  | 'conversation.exported'
  | 'conversation.deleted'
  | 'dead-letter.redriven'
  | 'dead-letter.discarded'
  | 'handoff.released'

/** Who acts, as the audit trail names them: a person by their address, so that erasing them finds it. */
export function actorOf(caller: Caller): string {
  return caller.email ?? caller.subject
}

/** Writes down who did what, in the transaction that does it. */
export async function noteAudit(sql: Sql, entry: AuditEntry, now: Date): Promise<void> {
  const { actor, onBehalfOf = null, action, subject, detail = {} } = entry
  await sql`
    insert into audit (at, actor, on_behalf_of, action, subject, detail)
    values (${now}, ${actor}, ${onBehalfOf}, ${action}, ${subject}, ${JSON.stringify(detail)}::text::jsonb)`
}

export interface ListedAudit {
  /** Rises with time, nearly: two at once may be seen in either order. */
  id: string
  at: Date
  actor: string
  onBehalfOf: string | null
  action: string
  subject: string
  detail: Record<string, unknown>
}

/** Entries that a filter lets through, newest first, older than the one of id `after`, at most `limit`. */
export async function listAudit(
  sql: Sql,
  filter: {
    actor: string | null
    onBehalfOf: string | null
    action: string | null
    subject: string | null
    from: Date | null
    to: Date | null
  },
  page: { after: string | null; limit: number },
): Promise<ListedAudit[]> {
  const { actor, onBehalfOf, action, subject, from, to } = filter
  return await sql<ListedAudit[]>`
    select id::text as id, at, actor, on_behalf_of as "onBehalfOf", action, subject, detail from audit
    where (${page.after}::text is null or id < ${page.after}::text::bigint)
      ${actor === null ? sql`` : sql`and actor = ${actor}`}
      ${onBehalfOf === null ? sql`` : sql`and on_behalf_of = ${onBehalfOf}`}
      ${action === null ? sql`` : sql`and action = ${action}`}
      ${subject === null ? sql`` : sql`and subject = ${subject}`}
      ${from === null ? sql`` : sql`and at >= ${from}`}
      ${to === null ? sql`` : sql`and at < ${to}`}
    order by id desc limit ${page.limit}`
}
