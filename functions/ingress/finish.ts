import type { StoredRequest } from '../../shared/store/requests.ts'
import type { AcceptedBody, Finished } from './bodies.ts'

const retryAfterSeconds = 2

export function isFinished(request: StoredRequest): boolean {
  return request.state === 'answered' || request.state === 'failed'
}

/** A request that has its answer. `applied`: the preference that was honoured (RFC 7240, section 3). */
export function finish(request: StoredRequest, applied: string | null = null): Response {
  const body: Finished = {
    request_id: request.id,
    session_id: request.session,
    status: request.state === 'failed' ? 'failed' : 'completed',
    response: request.response,
  }
  return Response.json(body, { headers: preferenceApplied(applied) })
}

/** One that has none yet: where to ask again, and when. */
export function postpone(id: string, session: string | null, applied: string | null): Response {
  const body: AcceptedBody = { request_id: id, session_id: session, status: 'accepted' }
  const headers = {
    location: `/api/v1/requests/${id}`,
    'retry-after': String(retryAfterSeconds),
    ...preferenceApplied(applied),
  }
  return Response.json(body, { status: 202, headers })
}

function preferenceApplied(applied: string | null): Record<string, string> {
  return applied === null ? {} : { 'preference-applied': applied, vary: 'prefer' }
}
