import { catalogue } from '../../shared/errors/catalogue.ts'
import type { Fault } from '../../shared/errors/fault.ts'
import type { Problem } from './bodies.ts'

/** What a caller may read of a fault of ours: the operator's details stay in the log. */
const withheld = 'The service cannot do this now. Nothing is wrong with the request.'

/** A fault as the API answers it (RFC 9457), with the headers that belong to its status. */
export function toProblem(fault: Fault, more: { requestId?: string | undefined; allow?: string } = {}): Response {
  const body: Problem = {
    type: `urn:self-service-agent:problem:${fault.code}`,
    title: catalogue[fault.code].title,
    status: fault.status,
    detail: fault.status >= 500 ? withheld : fault.message,
    code: fault.code,
    ...(more.requestId === undefined ? {} : { request_id: more.requestId }),
  }
  const headers = new Headers({ 'content-type': 'application/problem+json' })
  const challenge = challengeFor(fault)
  if (challenge !== null) headers.set('www-authenticate', challenge)
  if (more.allow !== undefined) headers.set('allow', more.allow)
  if (fault.class === 'retryable') headers.set('retry-after', String(Math.ceil(fault.retryAfter ?? 2)))
  return new Response(JSON.stringify(body), { status: fault.status, headers })
}

/** RFC 6750, section 3: no error code where no token came. */
function challengeFor(fault: Fault): string | null {
  if (fault.code === 'identity.missing') return 'Bearer realm="self-service-agent"'
  if (fault.code === 'identity.invalid') return 'Bearer realm="self-service-agent", error="invalid_token"'
  if (fault.code === 'identity.forbidden') return 'Bearer realm="self-service-agent", error="insufficient_scope"'
  return null
}
