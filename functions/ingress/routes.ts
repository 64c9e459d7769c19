import type { ReadByAsker } from '../../shared/channels/read-by-asker.ts'
import { identityRoutes } from './identity-routes.ts'
import { type RecordsRoute, recordsRoutes } from './records-routes.ts'

/**
 * `caller`: whoever holds a valid token or key; `person`: one that is a person's; the others: only one with the scope of
 * that name.
 */
export type Who =
  | 'anyone'
  | 'caller'
  | 'person'
  | 'service'
  | 'dead-letters:manage'
  | 'api-keys:manage'
  | 'handoffs:manage'
  | 'audit:read'

export interface Common {
  path: string
  who: Who
  summary: string
  /** True where the page calls it: the session cookie is taken in place of a token (functions/ingress/identify.ts). */
  cookie?: boolean
}

/** A way to ask; channel null: the body's integration_type names it. */
export interface AskRoute extends Common {
  kind: 'ask'
  method: 'POST'
  channel: ReadByAsker | null
}

export interface ReadRoute extends Common {
  kind:
    | 'request'
    | 'conversation'
    | 'attachment'
    | 'approvals'
    | 'awaited'
    | 'events'
    | 'dead-letters'
    | 'dead-letter'
    | 'document'
  method: 'GET'
}

/** A person's yes or no to what another person asked for. */
export interface DecideRoute extends Common {
  kind: 'decide'
  method: 'POST'
}

/** A file, which a message names later. */
export interface AttachRoute extends Common {
  kind: 'attach'
  method: 'POST'
}

/** What an operator does about dead letters. */
export interface TreatRoute extends Common {
  kind: 'treat'
  method: 'POST'
}

/** What a caller does about the addresses that their answers are pushed to. */
export interface WebhookRoute extends Common {
  kind: 'webhooks' | 'register-webhook' | 'rotate-webhook' | 'remove-webhook'
  method: 'GET' | 'POST' | 'DELETE'
}

/** A person's accounts and preferences, and programs' keys. */
export interface IdentityRoute extends Common {
  kind:
    | 'me'
    | 'preferences'
    | 'show-link'
    | 'link'
    | 'unlink'
    | 'api-keys'
    | 'create-api-key'
    | 'rotate-api-key'
    | 'revoke-api-key'
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  who: 'person' | 'api-keys:manage'
}

/** Answered by the host (shared/stage) before a request comes here; listed because it needs no token. */
export interface HostRoute extends Common {
  kind: 'host'
  method: 'GET'
}

/** The page, its files, and the sign-in to it; they check themselves what there is to check. */
export interface WebRoute extends Common {
  kind: 'page' | 'link-page' | 'settings-page' | 'asset' | 'sign-in' | 'signed-in' | 'sign-out'
  method: 'GET' | 'POST'
  who: 'anyone'
}

export function isOfPage(route: Route): route is WebRoute {
  return ['page', 'link-page', 'settings-page', 'asset', 'sign-in', 'signed-in', 'sign-out'].includes(route.kind)
}

export function isOfIdentity(route: Route): route is IdentityRoute {
  return identityRoutes.some(({ kind }) => kind === route.kind)
}

export type Route =
  | RecordsRoute
  | IdentityRoute
  | AskRoute
  | ReadRoute
  | AttachRoute
  | DecideRoute
  | TreatRoute
  | HostRoute
  | WebRoute
  | WebhookRoute

/**
 * Every route of this function and who may call it. The application and the OpenAPI document are both made from this
 * table, so that no route is open by omission.
 */
export const routes: readonly Route[] = [
  ...recordsRoutes,
  {
    kind: 'ask',
    method: 'POST',
    path: '/api/v1/requests',
    who: 'caller',
    channel: null,
    summary: 'Ask; integration_type names the channel, generic if it is left out',
  },
  {
    kind: 'ask',
    method: 'POST',
    path: '/api/v1/requests/web',
    who: 'caller',
    cookie: true,
    channel: 'web',
    summary: 'Ask from a web page',
  },
  {
    kind: 'ask',
    method: 'POST',
    path: '/api/v1/requests/cli',
    who: 'caller',
    channel: 'cli',
    summary: 'Ask from a terminal',
  },
  {
    kind: 'ask',
    method: 'POST',
    path: '/api/v1/requests/tool',
    who: 'service',
    channel: 'tool',
    summary: "Ask from another system's trigger",
  },
  {
    kind: 'ask',
    method: 'POST',
    path: '/api/v1/requests/generic',
    who: 'caller',
    channel: null,
    summary: "Ask by the predecessor's catch-all route; integration_type as for /api/v1/requests",
  },
  {
    kind: 'request',
    method: 'GET',
    path: '/api/v1/requests/{id}',
    who: 'caller',
    cookie: true,
    summary: 'The state of a request and, once there is one, its answer',
  },
  {
    kind: 'conversation',
    method: 'GET',
    path: '/api/v1/conversations/{id}',
    who: 'caller',
    cookie: true,
    summary: "A conversation's messages in their order",
  },
  {
    kind: 'attach',
    method: 'POST',
    path: '/api/v1/attachments',
    who: 'caller',
    cookie: true,
    summary: 'Send a file, whose id a message then names; the body is the file',
  },
  {
    kind: 'attachment',
    method: 'GET',
    path: '/api/v1/attachments/{id}',
    who: 'caller',
    cookie: true,
    summary: 'A file of your own, to be saved',
  },
  {
    kind: 'approvals',
    method: 'GET',
    path: '/api/v1/approvals',
    who: 'person',
    cookie: true,
    summary: "What waits for the caller's decision on other people's requests",
  },
  {
    kind: 'awaited',
    method: 'GET',
    path: '/api/v1/approvals/awaited',
    who: 'person',
    summary: "Other people's decisions on the caller's own requests: those waited for, and those that came",
  },
  {
    kind: 'decide',
    method: 'POST',
    path: '/api/v1/approvals/{id}',
    who: 'person',
    cookie: true,
    summary: "Approve or decline another person's request",
  },
  {
    kind: 'events',
    method: 'GET',
    path: '/api/v1/events',
    who: 'person',
    cookie: true,
    summary: "What happens in the caller's open conversation, as server-sent events while a turn is open",
  },
  {
    kind: 'dead-letters',
    method: 'GET',
    path: '/api/v1/dead-letters',
    who: 'dead-letters:manage',
    summary: 'Events that were given up, oldest first',
  },
  {
    kind: 'dead-letter',
    method: 'GET',
    path: '/api/v1/dead-letters/{id}',
    who: 'dead-letters:manage',
    summary: 'One of them, with its event and what its turn had done',
  },
  {
    kind: 'treat',
    method: 'POST',
    path: '/api/v1/dead-letters',
    who: 'dead-letters:manage',
    summary: 'Redrive or discard some of them',
  },
  { kind: 'page', method: 'GET', path: '/', who: 'anyone', summary: 'The chat page' },
  { kind: 'asset', method: 'GET', path: '/assets/{name}', who: 'anyone', summary: 'A file of the page' },
  {
    kind: 'sign-in',
    method: 'GET',
    path: '/sign-in',
    who: 'anyone',
    summary: 'Go to the issuer to sign in to the page',
  },
  {
    kind: 'signed-in',
    method: 'GET',
    path: '/sign-in/callback',
    who: 'anyone',
    summary: 'Come back from there with a code, which counts only with the cookie of the same sign-in',
  },
  {
    kind: 'sign-out',
    method: 'POST',
    path: '/sign-out',
    who: 'anyone',
    summary: 'End the session of this browser; only the page itself may ask for it',
  },
  {
    kind: 'webhooks',
    method: 'GET',
    path: '/api/v1/webhooks',
    who: 'caller',
    summary: 'The addresses that you registered',
  },
  {
    kind: 'register-webhook',
    method: 'POST',
    path: '/api/v1/webhooks',
    who: 'caller',
    summary: 'Register an address; a request that names its id in reply_to has its answer pushed there',
  },
  {
    kind: 'rotate-webhook',
    method: 'POST',
    path: '/api/v1/webhooks/{id}/secret',
    who: 'caller',
    summary: 'A new signing secret, beside which the old one signs for another day; enables the webhook again',
  },
  {
    kind: 'remove-webhook',
    method: 'DELETE',
    path: '/api/v1/webhooks/{id}',
    who: 'caller',
    summary: 'Forget an address',
  },
  ...identityRoutes,
  {
    kind: 'link-page',
    method: 'GET',
    path: '/link',
    who: 'anyone',
    summary: 'The page on which a person confirms that an account of a channel is theirs',
  },
  {
    kind: 'settings-page',
    method: 'GET',
    path: '/settings',
    who: 'anyone',
    summary: 'The page on which a person sees their accounts and says where copies of their answers go',
  },
  { kind: 'document', method: 'GET', path: '/openapi.json', who: 'anyone', summary: 'This document' },
  { kind: 'host', method: 'GET', path: '/health/liveness', who: 'anyone', summary: 'Whether the process should go on' },
  { kind: 'host', method: 'GET', path: '/health/readiness', who: 'anyone', summary: 'Whether requests can be taken' },
]
