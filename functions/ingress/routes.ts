import type { ReadByAsker } from '../../shared/channels/read-by-asker.ts'

/** `caller`: whoever holds a valid token; `service`, `dead-letters:manage`: only one with the scope of that name. */
export type Who = 'anyone' | 'caller' | 'service' | 'dead-letters:manage'

interface Common {
  path: string
  who: Who
  summary: string
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

/** Answered by the host (shared/stage) before a request comes here; listed because it needs no token. */
export interface HostRoute extends Common {
  kind: 'host'
  method: 'GET'
}

export type Route = AskRoute | ReadRoute | AttachRoute | DecideRoute | TreatRoute | HostRoute

/**
 * Every route of this function and who may call it. The application and the OpenAPI document are both made from this
 * table, so that no route is open by omission.
 */
export const routes: readonly Route[] = [
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
    summary: 'The state of a request and, once there is one, its answer',
  },
  {
    kind: 'conversation',
    method: 'GET',
    path: '/api/v1/conversations/{id}',
    who: 'caller',
    summary: "A conversation's messages in their order",
  },
  {
    kind: 'attach',
    method: 'POST',
    path: '/api/v1/attachments',
    who: 'caller',
    summary: 'Send a file, whose id a message then names; the body is the file',
  },
  {
    kind: 'attachment',
    method: 'GET',
    path: '/api/v1/attachments/{id}',
    who: 'caller',
    summary: 'A file of your own, to be saved',
  },
  {
    kind: 'approvals',
    method: 'GET',
    path: '/api/v1/approvals',
    who: 'caller',
    summary: "What waits for the caller's decision on other people's requests",
  },
  {
    kind: 'awaited',
    method: 'GET',
    path: '/api/v1/approvals/awaited',
    who: 'caller',
    summary: "Other people's decisions on the caller's own requests: those waited for, and those that came",
  },
  {
    kind: 'decide',
    method: 'POST',
    path: '/api/v1/approvals/{id}',
    who: 'caller',
    summary: "Approve or decline another person's request",
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
  { kind: 'document', method: 'GET', path: '/openapi.json', who: 'anyone', summary: 'This document' },
  { kind: 'host', method: 'GET', path: '/health/liveness', who: 'anyone', summary: 'Whether the process should go on' },
  { kind: 'host', method: 'GET', path: '/health/readiness', who: 'anyone', summary: 'Whether requests can be taken' },
]
