import { eventTypes, type ResponseReady } from '../events/catalogue.ts'
import type { Chain, Event } from '../events/event.ts'
import { nextEvent } from '../events/next.ts'
import type { FlowState } from '../flow/index.ts'
import { withdrawApprovals } from '../store/approvals.ts'
import type { Sql } from '../store/connect.ts'
import { appendAnswer } from '../store/messages.ts'
import { setConversation, setPendingEvent } from '../store/sessions.ts'
import { closeTurn } from '../store/turns.ts'

export interface Answer {
  /** `answered`: the flow got this far. `failed`: it did not, and the employee is told so. */
  state: 'answered' | 'failed'
  content: string
  agent: string
  type: ResponseReady['response_type']
  /** True where the agent waits for the employee's reply. */
  requiresFollowup: boolean
  metadata: Record<string, unknown>
  /** Where the conversation stands now; `keep` leaves it where it stood before the turn. */
  conversation: { agent: string | null; flow: FlowState | null } | 'keep'
}

type AnsweredTurn = { id: string; session: string; request: string; email: string; openedAt: Date }

/** What a turn is to its session: the approval that it is the decision of, and which turn the session stands at. */
type PlacedTurn = AnsweredTurn & { decided: string | null; current: string | null }

/**
 * Ends a turn with its one answer: closes the turn, appends the answer to the history, moves the conversation on and
 * returns the response-ready event, all in the caller's transaction under the session's lock. Null: it had ended.
 * Where the session has left the turn behind, its event and its conversation stay as they are.
 */
export async function answerTurn(
  sql: Sql,
  turn: PlacedTurn,
  answer: Answer,
  options: { chain: Chain; source: string; now: Date },
): Promise<Event<ResponseReady> | null> {
  const { source, now } = options
  const response = responseOf(turn, answer, options)
  if (!(await closeTurn(sql, { turn: turn.id, state: answer.state, response, now }))) return null
  await appendAnswer(sql, { session: turn.session, turn: turn.id, content: answer.content, now })
  if (turn.current !== null && turn.current !== turn.id) return response
  if (!leavesQuestion(turn, answer)) await withdrawApprovals(sql, turn.session, source, now)
  if (turn.current === null) return response
  if (answer.conversation !== 'keep') await setConversation(sql, turn.session, answer.conversation)
  await setPendingEvent(sql, turn.session, response, now)
  return response
}

/**
 * Whether a yes after this answer can only be one to the question that the conversation stands at. Not where the flow
 * is over; nor after an apology, nor after news of what somebody else decided: a yes to those is none to the question
 * before them, which is put again.
 */
function leavesQuestion({ decided }: PlacedTurn, { conversation, state }: Answer): boolean {
  if (conversation !== 'keep') return conversation.flow !== null
  return state === 'answered' && decided === null
}

/** The response-ready event of an answer: the same answer at the same moment is the same bytes. */
export function responseOf(
  turn: AnsweredTurn,
  answer: Answer,
  options: { chain: Chain; source: string; now: Date },
): Event<ResponseReady> {
  const { chain, source, now } = options
  return nextEvent<ResponseReady>(chain, {
    type: eventTypes.responseReady,
    source,
    session: turn.session,
    cause: [turn.id],
    time: now,
    data: {
      request_id: turn.request,
      session_id: turn.session,
      turn_id: turn.id,
      user_id: turn.email,
      agent_id: answer.agent,
      content: answer.content,
      response_type: answer.type,
      metadata: answer.metadata,
      processing_time_ms: Math.max(0, now.getTime() - turn.openedAt.getTime()),
      requires_followup: answer.requiresFollowup,
      followup_actions: [],
      created_at: now.toISOString(),
    },
  })
}
