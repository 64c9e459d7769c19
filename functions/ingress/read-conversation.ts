import { findSent } from '../../shared/attachments/rows.ts'
import { Fault } from '../../shared/errors/fault.ts'
import { type Caller, hasScope } from '../../shared/identity/caller.ts'
import { actorOf, noteAudit } from '../../shared/store/audit.ts'
import type { Database } from '../../shared/store/connect.ts'
import { isOwnConversation } from '../../shared/store/conversations.ts'
import { findConversation } from '../../shared/store/requests.ts'
import { describeAttachment } from './attachments.ts'
import { type ConversationBody, conversationQuery } from './bodies.ts'

/**
 * A conversation's messages in their order, to its person and to whoever may read other people's.
 * @throws Fault `request.malformed`, `request.not-found`
 */
export async function readConversation(
  database: Database,
  request: Request,
  caller: Caller,
  { id, now }: { id: string; now: Date },
): Promise<Response> {
  const query = conversationQuery.safeParse(Object.fromEntries(new URL(request.url).searchParams))
  if (!query.success) throw new Fault('request.malformed', 'after and limit are whole numbers; limit is 200 at most')
  const all = hasScope(caller, 'conversations:read')
  const { after, limit } = query.data
  const missing = new Fault('request.not-found', 'no conversation of yours has this id')
  if (!all && caller.email === null) throw missing
  const found = await findConversation(database, id, { email: all ? null : caller.email, after, limit })
  if (found === null) throw missing
  if (all && !(await isOwnConversation(database, id, caller.email))) {
    await noteAudit(database, { actor: actorOf(caller), action: 'conversation.read', subject: id }, now)
  }
  const requests = found.messages.flatMap(({ request }) => request ?? [])
  const sent = await findSent(database, requests, now)
  const last = found.messages.at(-1)
  const body: ConversationBody = {
    session_id: found.id,
    state: found.state,
    agent_id: found.agent,
    created_at: found.createdAt.toISOString(),
    messages: found.messages.map(({ number, role, content, request: of, createdAt }) => ({
      number,
      role,
      content,
      request_id: of,
      created_at: createdAt.toISOString(),
      attachments: (of === null ? [] : (sent.get(of) ?? [])).map(describeAttachment),
    })),
    next:
      last !== undefined && found.messages.length === limit
        ? `/api/v1/conversations/${found.id}?after=${last.number}&limit=${limit}`
        : null,
  }
  return Response.json(body)
}
