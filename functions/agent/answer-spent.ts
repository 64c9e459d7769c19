import { apology, catalogue } from '../../shared/errors/catalogue.ts'
import type { Chain, Event } from '../../shared/events/event.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { lockSession, resetUsage } from '../../shared/store/sessions.ts'
import type { TurnInContext } from '../../shared/store/turns.ts'
import { answerTurn } from '../../shared/turn/answer-turn.ts'
import { takenOver } from './person.ts'

/**
 * Answers a turn whose model budget is spent: a person takes it from here. The conversation begins afresh with a new
 * budget, since one that stayed spent would refuse every later message too.
 */
export async function answerSpent(
  sql: Sql,
  turn: TurnInContext,
  /** Its number; null: none could be filed. */
  ticket: string | null,
  options: { chain: Chain; now: Date },
): Promise<Event | null> {
  const session = await lockSession(sql, turn.session)
  if (session?.turn !== turn.id) return null
  await resetUsage(sql, turn.session)
  return answerTurn(
    sql,
    turn,
    {
      state: 'failed',
      content: spentSentence(ticket),
      agent: turn.agent,
      type: 'error',
      requiresFollowup: false,
      metadata: { error_code: 'flow.budget-spent', ...(ticket === null ? {} : { handoff: ticket }) },
      conversation: turn.decided === null ? { agent: null, flow: null } : 'keep',
    },
    { ...options, source: '/agent' },
  )
}

/** What the employee reads then. */
export function spentSentence(ticket: string | null): string {
  const says = catalogue['flow.budget-spent'].says ?? apology
  return ticket === null ? says : `${says} ${takenOver(ticket)}`
}
