import { Fault } from '../../shared/errors/fault.ts'
import type { Event } from '../../shared/events/event.ts'
import type { Caller } from '../../shared/identity/caller.ts'
import { faultPoint } from '../../shared/stage/fault-point.ts'
import type { Database } from '../../shared/store/connect.ts'
import { decideApproval, findAskedOf, findAwaited } from '../../shared/store/decisions.ts'
import { type ApprovalsBody, type AwaitedBody, type DecidedBody, decision } from './bodies.ts'

/** At most so many are listed; the oldest wait longest and come first. */
const listed = 100

/** The approvals that wait for the caller's decision on somebody else's request. */
export async function listApprovals(database: Database, caller: Caller, now: Date): Promise<Response> {
  const found = await findAskedOf(database, { email: personOf(caller), now, limit: listed })
  const body: ApprovalsBody = {
    approvals: found.map(({ id, requester, question, tool, arguments: given, createdAt, expiresAt }) => ({
      id,
      requester,
      question,
      tool,
      arguments: given,
      created_at: createdAt.toISOString(),
      expires_at: expiresAt.toISOString(),
    })),
  }
  return Response.json(body)
}

/** Other people's decisions on the caller's own requests, made or not: how a client learns what came of them. */
export async function listAwaited(database: Database, caller: Caller): Promise<Response> {
  const found = await findAwaited(database, `email:${personOf(caller)}`, listed)
  const body: AwaitedBody = {
    approvals: found.map(({ id, askedOf, question, state, request, expiresAt }) => ({
      id,
      asked_of: askedOf,
      question,
      state: state === 'granted' || state === 'used' ? 'approved' : state,
      request_id: request,
      expires_at: expiresAt.toISOString(),
    })),
  }
  return Response.json(body)
}

/**
 * Takes the caller's yes or no to one of them. It enters the employee's conversation as an event of its own; where the
 * broker does not take that event, the repair tick publishes it. A repetition of the same decision answers the same, and
 * publishes the same event where no queue has seen it yet.
 * @throws Fault `request.malformed`, `request.not-found`, `approval.expired`, `approval.decided`
 */
export async function takeDecision(
  database: Database,
  publish: (id: string, event: Event) => Promise<void>,
  asked: { id: string; value: unknown; caller: Caller; now: Date },
): Promise<Response> {
  const { id, caller, now } = asked
  const parsed = decision.safeParse(asked.value)
  if (!parsed.success) throw new Fault('request.malformed', 'decision: "approve" or "decline"')
  const wanted = parsed.data.decision === 'approve' ? 'granted' : 'declined'
  const by = { email: personOf(caller), caller: caller.subject }
  const decided = await database.begin(async (sql) => {
    const decided = await decideApproval(sql, { id, decision: wanted, by, now })
    await faultPoint('ingress: before decision commit')
    return decided
  })
  await faultPoint('ingress: after decision commit')
  if (decided === null) throw new Fault('request.not-found', 'no approval of this id waits for you')
  if (decided.event !== null) await publish(id, decided.event)
  const state = decided.before === 'open' ? wanted : decided.before === 'used' ? 'granted' : decided.before
  if (state === 'expired') throw new Fault('approval.expired', 'nobody decided in time; the employee was told')
  if (state !== wanted) throw new Fault('approval.decided', `it was ${state} before`)
  const body: DecidedBody = { id, state: wanted === 'granted' ? 'approved' : 'declined' }
  return Response.json(body)
}

/** Only a person decides or waits for a decision, and only by a token of their own. */
function personOf(caller: Caller): string {
  if (caller.kind === 'person' && caller.email !== null) return caller.email
  throw new Fault(
    'identity.forbidden',
    'only a person decides or waits for it, with a token that names their e-mail address',
  )
}
