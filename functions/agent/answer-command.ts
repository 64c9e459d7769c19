import type { Chain, Event } from '../../shared/events/event.ts'
import { type Command, tokenSummary } from '../../shared/flow/index.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { readUsage } from '../../shared/store/journal.ts'
import { lockSession, resetUsage } from '../../shared/store/sessions.ts'
import type { TurnInContext } from '../../shared/store/turns.ts'
import { type Answer, answerTurn } from '../../shared/turn/answer-turn.ts'

/** Answers a command (reset, tokens, quit) in place of a flow: no model, no tool. */
export async function answerCommand(
  sql: Sql,
  turn: TurnInContext,
  command: Command,
  options: { chain: Chain; now: Date },
): Promise<Event | null> {
  const session = await lockSession(sql, turn.session)
  if (session?.turn !== turn.id) return null
  if (command === 'reset') await resetUsage(sql, turn.session)
  const answer: Answer = {
    state: 'answered',
    content: await contentOf(sql, turn, command),
    agent: 'system',
    type: command === 'tokens' ? 'tokens' : 'message',
    requiresFollowup: false,
    metadata: {},
    conversation: command === 'tokens' ? 'keep' : { agent: null, flow: null },
  }
  return answerTurn(sql, turn, answer, { ...options, source: '/agent' })
}

async function contentOf(sql: Sql, turn: TurnInContext, command: Command): Promise<string> {
  switch (command) {
    case 'reset':
      return 'Session cleared. Starting fresh!'
    case 'tokens':
      return tokenSummary(await readUsage(sql, turn.session))
    case 'quit':
      return 'Session ended.'
  }
}
