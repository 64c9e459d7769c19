import { eventTypes } from '../../shared/events/catalogue.ts'
import type { Chain, Event } from '../../shared/events/event.ts'
import { nextEvent } from '../../shared/events/next.ts'
import type { FlowState } from '../../shared/flow/index.ts'
import { applyApprovalChanges } from '../../shared/store/approvals.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { openHandoff } from '../../shared/store/handoffs.ts'
import { addUsage, type StepPlace, writeJournal } from '../../shared/store/journal.ts'
import { lockSession, setPendingEvent } from '../../shared/store/sessions.ts'
import { finishWrite } from '../../shared/store/tool-calls.ts'
import { advanceTurn, type TurnInContext } from '../../shared/store/turns.ts'
import { type Answer, answerTurn } from '../../shared/turn/answer-turn.ts'
import { ticketOf } from './person.ts'
import type { Walked } from './walk-flow.ts'

/**
 * Commits a step: journal, approvals, ledger, the turn's new state and the event that follows from it. Answers null
 * where the session or the turn moved on while the step ran; then only what happened outside counts: how a write ended,
 * and what the model cost.
 */
export async function commitStep(
  sql: Sql,
  turn: TurnInContext,
  walked: Walked,
  options: { chain: Chain; place: StepPlace; startedAt: Date; now: Date },
): Promise<Event | null> {
  const { chain, place, startedAt, now } = options
  const session = await lockSession(sql, turn.session)
  const { call, flow } = walked
  if (call?.promptHash) await addUsage(sql, turn.session, call.inputTokens, call.outputTokens)
  if (call?.write) await finishWrite(sql, { ...call.write, outcome: call.answer, now })
  if (session?.turn !== turn.id) return null
  const advanced = await advanceTurn(sql, {
    turn: turn.id,
    step: turn.step,
    flow,
    said: [...turn.said, ...walked.said],
    inputTokens: call?.inputTokens ?? 0,
    outputTokens: call?.outputTokens ?? 0,
  })
  if (!advanced) return null

  await writeJournal(sql, {
    turn: turn.id,
    number: turn.step,
    agent: turn.agent,
    name: call?.step ?? flow.at,
    kind: journalKind(call),
    promptHash: call?.promptHash ?? null,
    request: call?.request,
    answer: call?.answer,
    reads: walked.reads,
    inputTokens: call?.inputTokens ?? 0,
    outputTokens: call?.outputTokens ?? 0,
    startedAt,
    finishedAt: now,
    place,
  })
  await applyApprovalChanges(
    sql,
    {
      session: turn.session,
      turn: turn.id,
      request: turn.request,
      agent: turn.agent,
      decidedBy: turn.speaker ?? turn.caller,
      now,
    },
    walked.approvals,
  )
  const ticket = ticketOf(call)
  if (ticket !== null && call?.write) {
    const { approval } = call.write
    await openHandoff(sql, { id: approval, session: turn.session, turn: turn.id, why: 'asked', ticket, now })
  }
  return follow(sql, turn, walked, chain, now)
}

async function follow(sql: Sql, turn: TurnInContext, walked: Walked, chain: Chain, now: Date): Promise<Event | null> {
  const { move } = walked
  const step = turn.step + 1
  if (move.kind === 'step' || move.kind === 'handoff') {
    const agent = move.kind === 'handoff' ? move.agent : turn.agent
    const next = nextEvent(chain, {
      type: move.kind === 'handoff' ? eventTypes.agentHandoff : eventTypes.agentStep,
      source: '/agent',
      session: turn.session,
      cause: [turn.id, String(step), agent],
      time: now,
      data: { session_id: turn.session, turn_id: turn.id, step, agent_id: agent },
    })
    await setPendingEvent(sql, turn.session, next, now)
    return next
  }
  return answerTurn(sql, turn, answerOf(turn, walked), { chain, source: '/agent', now })
}

/** What the turn is answered with where the step is its last: all that was said in it, and where the flow stands. */
export function answerOf(turn: TurnInContext, walked: Walked): Answer {
  const { move } = walked
  const ended = move.kind === 'end'
  return {
    state: 'answered',
    content: [...turn.said, ...walked.said].join('\n\n'),
    agent: turn.agent,
    type: 'message',
    requiresFollowup: !ended,
    metadata: ended ? {} : { waiting_for: walked.flow.waiting, offer: move.kind === 'wait' ? move.offer : null },
    conversation: conversationAfter(turn, ended ? null : walked.flow),
  }
}

/** A decision's turn belongs to a flow that had left the conversation: where that stands now, it stays. */
function conversationAfter(turn: TurnInContext, flow: FlowState | null): Answer['conversation'] {
  if (turn.decided !== null) return 'keep'
  return flow === null ? { agent: null, flow: null } : { agent: turn.agent, flow }
}

export function journalKind(call: Walked['call']): 'decide' | 'extract' | 'compose' | 'call' | 'flow' {
  if (call === null || call.kind === 'lookup' || call.kind === 'search') return 'flow'
  return call.kind
}
