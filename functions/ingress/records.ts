import type * as z from 'zod/mini'
import { Fault } from '../../shared/errors/fault.ts'
import { type Caller, hasScope } from '../../shared/identity/caller.ts'
import { actorOf, listAudit, noteAudit } from '../../shared/store/audit.ts'
import type { Database } from '../../shared/store/connect.ts'
import { type ConversationFilter, isOwnConversation, listConversations } from '../../shared/store/conversations.ts'
import { deleteConversation } from '../../shared/store/delete-conversation.ts'
import { findHandoff, listHandoffs, releaseHandoff } from '../../shared/store/handoffs.ts'
import { describeConversation, exportConversations } from './export-conversations.ts'
import {
  type AuditBody,
  auditQuery,
  type ConversationsBody,
  conversationsFilter,
  conversationsQuery,
  type HandoffsBody,
  handoffsQuery,
  type ReleasedHandoffBody,
} from './records-bodies.ts'
import type { RecordsRoute } from './records-routes.ts'

export interface RecordsParts {
  database: Database
  now(): Date
  /** Deletes the bytes of a file; undefined: this deployment takes none. */
  deleteObject?: ((key: string) => Promise<void>) | undefined
}

export interface RecordsCall {
  caller: Caller
  request: Request
  /** The id that the path names. @throws Fault `request.not-found` */
  id(): string
}

export type RecordsDesk = (kind: RecordsRoute['kind'], call: RecordsCall) => Promise<Response>

/** What is kept of conversations: listed, exported and deleted; and who has one, and who did what. */
export function createRecordsDesk(parts: RecordsParts): RecordsDesk {
  return (kind, call) => {
    switch (kind) {
      case 'conversations':
        return list(parts, call)
      case 'export-conversations':
        return exportMany(parts, call)
      case 'export-conversation':
        return exportOne(parts, call)
      case 'delete-conversation':
        return remove(parts, call)
      case 'handoffs':
        return handoffs(parts, call)
      case 'release-handoff':
        return release(parts, call)
      case 'audit':
        return audit(parts, call)
    }
  }
}

async function list({ database }: RecordsParts, { caller, request }: RecordsCall): Promise<Response> {
  const query = read(conversationsQuery, request, 'person, state, agent, from, to, after, limit (1 to 200)')
  const { after, limit } = query
  const found = await listConversations(database, filterOf(query, caller), { after: after ?? null, limit })
  const body: ConversationsBody = {
    conversations: found.map(describeConversation),
    next: nextPage(request, found.length === limit ? found.at(-1)?.cursor : undefined),
  }
  return Response.json(body)
}

async function exportMany({ database, now }: RecordsParts, { caller, request }: RecordsCall): Promise<Response> {
  const filter = filterOf(read(conversationsFilter, request, 'person, state, agent, from, to'), caller)
  return exportConversations(database, filter, {
    begin: ({ id, person }) => noteExport(database, caller, { id, own: person === caller.email }, now()),
    ...{ signal: request.signal, name: 'conversations' },
  })
}

async function exportOne({ database, now }: RecordsParts, { caller, request, id }: RecordsCall): Promise<Response> {
  const own = await requireConversation(database, caller, id(), 'conversations:read')
  return exportConversations(
    database,
    { ...everything, id: id() },
    {
      begin: (conversation) => noteExport(database, caller, { id: conversation.id, own }, now()),
      ...{ signal: request.signal, name: id() },
    },
  )
}

async function remove({ database, now, deleteObject }: RecordsParts, { caller, id }: RecordsCall): Promise<Response> {
  await requireConversation(database, caller, id(), 'conversations:delete')
  const deleted = await deleteConversation(database, {
    ...{ id: id(), now: now(), deleteObject },
    note: (sql) => noteAudit(sql, { actor: actorOf(caller), action: 'conversation.deleted', subject: id() }, now()),
  })
  if (deleted.kind === 'not-found') throw notFound()
  if (deleted.kind === 'hindered') throw new Fault('conversation.busy', deleted.why)
  return new Response(null, { status: 204 })
}

async function handoffs({ database }: RecordsParts, { request }: RecordsCall): Promise<Response> {
  const { state, after, limit } = read(handoffsQuery, request, 'state: open or released; after: an id; limit: 1 to 200')
  const found = await listHandoffs(database, { state, after: after ?? null, limit })
  const body: HandoffsBody = {
    handoffs: found.map(({ session, openedAt, releasedAt, releasedBy, ...same }) => ({
      ...same,
      session_id: session,
      opened_at: openedAt.toISOString(),
      released_at: releasedAt?.toISOString() ?? null,
      released_by: releasedBy,
    })),
    next: nextPage(request, found.length === limit ? found.at(-1)?.id : undefined),
  }
  return Response.json(body)
}

async function release({ database, now }: RecordsParts, { caller, id }: RecordsCall): Promise<Response> {
  const released = await database.begin(async (sql) => {
    const done = await releaseHandoff(sql, id(), actorOf(caller), now())
    if (done) await noteAudit(sql, { actor: actorOf(caller), action: 'handoff.released', subject: id() }, now())
    return done
  })
  if (!released && (await findHandoff(database, id())) === null) {
    throw new Fault('request.not-found', 'no hand-off has this id')
  }
  const body: ReleasedHandoffBody = { id: id(), result: released ? 'released' : 'already-released' }
  return Response.json(body)
}

async function audit({ database }: RecordsParts, { request }: RecordsCall): Promise<Response> {
  const query = read(auditQuery, request, 'actor, on_behalf_of, action, subject, from, to, after, limit (1 to 200)')
  const { actor = null, on_behalf_of = null, action = null, subject = null, from = null, to = null } = query
  const filter = { actor, onBehalfOf: on_behalf_of, action, subject, from, to }
  const found = await listAudit(database, filter, { after: query.after ?? null, limit: query.limit })
  const body: AuditBody = {
    entries: found.map(({ at, onBehalfOf, ...same }) => ({ ...same, at: at.toISOString(), on_behalf_of: onBehalfOf })),
    next: nextPage(request, found.length === query.limit ? found.at(-1)?.id : undefined),
  }
  return Response.json(body)
}

const everything: ConversationFilter = { person: null, id: null, state: null, agent: null, from: null, to: null }

/** Without the scope everybody has their own conversations, and no others. */
function filterOf(query: z.infer<typeof conversationsFilter>, caller: Caller): ConversationFilter {
  const { person = null, state = null, agent = null, from = null, to = null } = query
  const filter = { id: null, state, agent, from, to }
  if (hasScope(caller, 'conversations:read')) return { ...filter, person }
  if (caller.email !== null && (person === null || person === caller.email)) return { ...filter, person: caller.email }
  throw new Fault('identity.forbidden', 'other people\'s conversations take the scope "conversations:read"')
}

/** Whether it is the caller's own. @throws Fault `request.not-found` where it is not, and they lack the scope */
async function requireConversation(
  database: Database,
  caller: Caller,
  id: string,
  scope: 'conversations:read' | 'conversations:delete',
): Promise<boolean> {
  const own = await isOwnConversation(database, id, caller.email)
  if (own === null || !(own || hasScope(caller, scope))) throw notFound()
  return own
}

/** What people take away of their own is nobody's business. */
async function noteExport(
  database: Database,
  caller: Caller,
  { id, own }: { id: string; own: boolean },
  now: Date,
): Promise<void> {
  if (own) return
  await noteAudit(database, { actor: actorOf(caller), action: 'conversation.exported', subject: id }, now)
}

function notFound(): Fault {
  return new Fault('request.not-found', 'no conversation of yours has this id')
}

function read<Schema extends z.ZodMiniType>(schema: Schema, request: Request, takes: string): z.infer<Schema> {
  const parsed = schema.safeParse(Object.fromEntries(new URL(request.url).searchParams))
  if (parsed.success) return parsed.data
  throw new Fault('request.malformed', `it takes ${takes}; moments are ISO 8601 with a time zone`)
}

/** The same query, from behind the last one given. */
function nextPage(request: Request, last: string | undefined): string | null {
  if (last === undefined) return null
  const url = new URL(request.url)
  url.searchParams.set('after', last)
  return `${url.pathname}${url.search}`
}
