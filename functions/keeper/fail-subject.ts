import { apology, catalogue, type FaultCode } from '../../shared/errors/catalogue.ts'
import { type Chain, deterministicId, type Event } from '../../shared/events/event.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { takeMessage } from '../../shared/store/messages.ts'
import { failRequest } from '../../shared/store/requests-answer.ts'
import { setTurn } from '../../shared/store/sessions.ts'
import { findTurnInContext, insertTurn } from '../../shared/store/turns.ts'
import { answerTurn } from '../../shared/turn/answer-turn.ts'
import { askPerson } from './ask-person.ts'
import type { Subject } from './find-subject.ts'
import { settleWork } from './settle-work.ts'

/** Faults after which the conversation starts over: its stored place is itself the trouble, or a person has taken over. */
const startOver: FaultCode[] = [
  'flow.step-unknown',
  'flow.expression-failed',
  'flow.loop',
  'flow.invalid',
  'tool.outcome-unknown',
]

/**
 * Tells whoever waits that it went wrong, once, and gives the event that lets the session go on. `closed` is false
 * where there was nothing left to close, or where the turn is being worked on and has to be left for now.
 */
export async function failSubject(
  sql: Sql,
  subject: Exclude<Subject, { kind: 'none' | 'queue' }>,
  failure: { code: FaultCode; chain: Chain; now: Date; callsPerson?: boolean },
): Promise<{ closed: boolean; event: Event | null }> {
  const { chain, now } = failure
  if (subject.kind === 'request') {
    const content = sentence(failure.code)
    return { closed: await failRequest(sql, { request: subject.request, content, now }), event: null }
  }
  const turn = subject.kind === 'turn' ? subject.turn : await openTurn(sql, subject, now)
  const work = turn && (await settleWork(sql, turn, now))
  if (turn === null || work === 'under-way') return { closed: false, event: null }
  const code = work === 'unknown' ? 'tool.outcome-unknown' : failure.code
  const event = await answerTurn(
    sql,
    turn,
    {
      state: 'failed',
      content: sentence(code),
      agent: turn.agent,
      type: 'error',
      requiresFollowup: false,
      metadata: { error_code: code },
      // A decision's turn is about a flow that had left the conversation: that stands elsewhere by now.
      conversation: startOver.includes(code) && turn.decided === null ? { agent: null, flow: null } : 'keep',
    },
    { chain, source: '/keeper', now },
  )
  if (event !== null && failure.callsPerson && turn.decided === null) await askPerson(sql, turn, now)
  return { closed: event !== null, event }
}

function sentence(code: FaultCode): string {
  return catalogue[code].says ?? apology
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
