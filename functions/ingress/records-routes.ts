import type { Common, Route } from './routes.ts'

/** What is kept of conversations, who has one, and who did what. */
export interface RecordsRoute extends Common {
  kind:
    | 'conversations'
    | 'export-conversations'
    | 'export-conversation'
    | 'delete-conversation'
    | 'handoffs'
    | 'release-handoff'
    | 'audit'
  method: 'GET' | 'POST' | 'DELETE'
}

/** The routes to what is kept of conversations; a part of the table in functions/ingress/routes.ts. */
export const recordsRoutes: readonly RecordsRoute[] = [
  {
    kind: 'conversations',
    method: 'GET',
    path: '/api/v1/conversations',
    who: 'caller',
    summary: "Your conversations, newest first; with the scope `conversations:read` everybody's",
  },
  {
    kind: 'export-conversations',
    method: 'GET',
    path: '/api/v1/conversations/export',
    who: 'caller',
    summary: 'The same with all their messages, as JSON lines',
  },
  {
    kind: 'export-conversation',
    method: 'GET',
    path: '/api/v1/conversations/{id}/export',
    who: 'caller',
    summary:
      "A conversation with all its messages, as JSON lines; another person's with the scope `conversations:read`",
  },
  {
    kind: 'delete-conversation',
    method: 'DELETE',
    path: '/api/v1/conversations/{id}',
    who: 'caller',
    summary: "Delete a conversation for good; another person's with the scope `conversations:delete`",
  },
  {
    kind: 'handoffs',
    method: 'GET',
    path: '/api/v1/handoffs',
    who: 'handoffs:manage',
    summary: 'Conversations that a person has, the oldest first',
  },
  {
    kind: 'release-handoff',
    method: 'POST',
    path: '/api/v1/handoffs/{id}/release',
    who: 'handoffs:manage',
    summary: 'Give a conversation back to the agent; the ticket stays as it is',
  },
  {
    kind: 'audit',
    method: 'GET',
    path: '/api/v1/audit',
    who: 'audit:read',
    summary: 'Who did what, and on whose behalf, newest first; never a word of what was said',
  },
]

export function isOfRecords(route: Route): route is RecordsRoute {
  return recordsRoutes.some(({ kind }) => kind === route.kind)
}
