import { apology, catalogue, type FaultCode } from '../../shared/errors/catalogue.ts'
import { type Chain, deterministicId, type Event } from '../../shared/events/event.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { takeMessage } from '../../shared/store/messages.ts'
import { failRequest } from '../../shared/store/requests-answer.ts'
import { setTurn } from '../../shared/store/sessions.ts'
import { findTurnInContext, insertTurn } from '../../shared/store/turns.ts'
import { answerTurn } from '../../shared/turn/answer-turn.ts'
import type { Subject } from './find-subject.ts'

/** Faults after which the conversation's stored place is itself the trouble: it starts over. */
const spoiled: FaultCode[] = ['flow.step-unknown', 'flow.expression-failed', 'flow.loop', 'flow.invalid']

/**
 * Tells whoever waits that it went wrong, once, and gives the event that lets the session go on. `closed` is false
 * where there was nothing left to close.
 */
export async function failSubject(
  sql: Sql,
  subject: Exclude<Subject, { kind: 'none' }>,
  failure: { code: FaultCode; chain: Chain; now: Date },
): Promise<{ closed: boolean; event: Event | null }> {
  const { code, chain, now } = failure
  const content = catalogue[code].says ?? apology
  if (subject.kind === 'request') {
    return { closed: await failRequest(sql, { request: subject.request, content, now }), event: null }
  }
  const turn = subject.kind === 'turn' ? subject.turn : await openTurn(sql, subject, now)
  if (turn === null) return { closed: false, event: null }
  const event = await answerTurn(
    sql,
    turn,
    {
      state: 'failed',
      content,
      agent: turn.agent,
      type: 'error',
      requiresFollowup: false,
      metadata: { error_code: code },
      conversation: spoiled.includes(code) ? { agent: null, flow: null } : 'keep',
    },
    { chain, source: '/keeper', now },
  )
  return { closed: event !== null, event }
}

/** A message that route could not start gets a turn all the same, so that its failure is answered like any other. */
async function openTurn(sql: Sql, subject: Extract<Subject, { kind: 'message' }>, now: Date) {
  const id = deterministicId('turn', subject.session, String(subject.number))
  await insertTurn(sql, {
    id,
    session: subject.session,
    message: subject.number,
    request: subject.request,
    agent: 'router',
    flow: null,
    openedAt: now,
    deadline: now,
  })
  await takeMessage(sql, subject.session, subject.number, id)
  await setTurn(sql, subject.session, id, null, now)
  return findTurnInContext(sql, id)
}
