import { catalogue } from '../../shared/errors/catalogue.ts'
import { type Chain, deterministicId, type Event } from '../../shared/events/event.ts'
import { hashArguments } from '../../shared/flow/index.ts'
import { plainText } from '../../shared/flow/plain-text.ts'
import type { Lease } from '../../shared/stage/once.ts'
import {
  findOpenHandoff,
  grantHandoff,
  type HandoffReason,
  handoffStep,
  openHandoff,
} from '../../shared/store/handoffs.ts'
import { lockSession } from '../../shared/store/sessions.ts'
import { finishWrite } from '../../shared/store/tool-calls.ts'
import type { TurnInContext } from '../../shared/store/turns.ts'
import { answerSpent } from './answer-spent.ts'
import type { AgentParts } from './parts.ts'
import { numberIn, personTool } from './person.ts'
import { answerSilently } from './stay-silent.ts'
import { writeTool } from './use-tool.ts'

/** Characters of the employee's words in a ticket's summary; the conversation itself goes along with it. */
const shown = 400

/**
 * Gives the conversation to a person because the system cannot go on with it, and answers the turn with the ticket's
 * number. It is a write like any other, under an approval of the system's own, of which each turn can have but one: so
 * whatever dies in between, no second ticket is filed (docs/write-states.md).
 * @throws Fault the retryable `tool.*` faults while it can still be learned what became of the ticket
 */
export async function callPerson(
  turn: TurnInContext,
  why: Exclude<HandoffReason, 'asked'>,
  lease: Lease,
  parts: AgentParts,
  chain: Chain,
): Promise<Event | null> {
  const approval = deterministicId('handoff', turn.id)
  const given = { summary: summaryOf(turn, why) }
  const hasPerson = await lease.record(async (sql) => {
    const session = await lockSession(sql, turn.session)
    const open = session?.turn === turn.id ? await findOpenHandoff(sql, turn.session) : null
    if (open !== null) return open.ticket
    const { session: of, id, email, request } = turn
    const granted = { id: approval, session: of, turn: id, request, tool: personTool, person: email }
    await grantHandoff(sql, { ...granted, arguments: given, argumentsHash: hashArguments(given), now: parts.now() })
    return null
  })
  const filed = hasPerson === null ? await file(turn, approval, given, lease, parts) : null
  const ticket = hasPerson ?? filed?.ticket ?? null
  return lease.finish(async (sql) => {
    const now = parts.now()
    const session = await lockSession(sql, turn.session)
    if (filed !== null) await finishWrite(sql, { approval, state: filed.state, outcome: filed.outcome, now })
    if (session?.turn !== turn.id) return null
    if (filed !== null && ticket !== null) {
      await openHandoff(sql, { id: approval, session: turn.session, turn: turn.id, why, ticket, now })
    }
    return why === 'failed'
      ? answerSilently(sql, turn, { name: 'person', ticket }, { chain, now })
      : answerSpent(sql, turn, ticket, { chain, now })
  })
}

async function file(
  turn: TurnInContext,
  approval: string,
  given: { summary: string },
  lease: Lease,
  parts: AgentParts,
): Promise<{ ticket: string | null; state: 'done' | 'failed' | 'parked'; outcome: unknown }> {
  const effect = { kind: 'call', step: handoffStep, tool: personTool, arguments: given, approval } as const
  const { record, result } = await writeTool({ ...effect, timeoutMs: 20_000, retries: 0 }, approval, turn, lease, parts)
  const outcome = result.kind === 'called' ? result.outcome : null
  const ticket = outcome?.ok === true ? numberIn(outcome.value) : null
  return { ticket, state: record.write?.state ?? 'parked', outcome }
}

function summaryOf(turn: TurnInContext, why: Exclude<HandoffReason, 'asked'>): string {
  const title = why === 'failed' ? 'A turn of the assistant failed' : catalogue['flow.budget-spent'].title
  return plainText(`${title}. Last words of ${turn.email}: ${turn.content.slice(0, shown)}`)
}
