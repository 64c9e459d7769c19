import { apology, catalogue } from '../../shared/errors/catalogue.ts'
import type { Chain, Event } from '../../shared/events/event.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { lockSession, resetUsage } from '../../shared/store/sessions.ts'
import type { TurnInContext } from '../../shared/store/turns.ts'
import { answerTurn } from '../../shared/turn/answer-turn.ts'

/**
 * Answers a turn whose model budget is spent: a person takes it from here. The conversation begins afresh with a new
 * budget, since one that stayed spent would refuse every later message too.
 */
export async function answerSpent(
  sql: Sql,
  turn: TurnInContext,
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
      content: catalogue['flow.budget-spent'].says ?? apology,
      agent: turn.agent,
      type: 'error',
      requiresFollowup: false,
      metadata: { error_code: 'flow.budget-spent' },
      conversation: turn.decided === null ? { agent: null, flow: null } : 'keep',
    },
    { ...options, source: '/agent' },
  )
}
