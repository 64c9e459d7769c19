import type { Chain, Event } from '../../shared/events/event.ts'
import { type Command, type TokenUsage, tokenSummary } from '../../shared/flow/index.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { type Handoff, releaseHandoff } from '../../shared/store/handoffs.ts'
import { readUsage, writeJournal } from '../../shared/store/journal.ts'
import { lockSession, resetUsage } from '../../shared/store/sessions.ts'
import type { TurnInContext } from '../../shared/store/turns.ts'
import { type Answer, answerTurn } from '../../shared/turn/answer-turn.ts'

/** Answers a command (reset, tokens, quit) in place of a flow: no model, no tool. */
export async function answerCommand(
  sql: Sql,
  turn: TurnInContext,
  command: Command,
  options: { chain: Chain; handoff: Handoff | null; now: Date },
): Promise<Event | null> {
  const { handoff, now } = options
  const session = await lockSession(sql, turn.session)
  if (session?.turn !== turn.id) return null
  const usage = await readUsage(sql, turn.session)
  if (command === 'reset') await resetUsage(sql, turn.session)
  const back = command === 'reset' ? (handoff?.ticket ?? null) : null
  if (command === 'reset' && handoff !== null) {
    await releaseHandoff(sql, handoff.id, turn.speaker ?? turn.caller, now)
  }
  const answer = commandAnswer(command, usage, back)
  const event = await answerTurn(sql, turn, answer, { ...options, source: '/agent' })
  if (event === null) return null
  await writeJournal(sql, {
    turn: turn.id,
    number: turn.step,
    agent: 'system',
    name: command,
    kind: 'command',
    promptHash: null,
    request: null,
    answer: back === null ? usage : { ...usage, ticket: back },
    reads: [],
    inputTokens: 0,
    outputTokens: 0,
    startedAt: now,
    finishedAt: now,
    place: null,
  })
  return event
}

/** What a command is answered with; `usage` is what the session used until then, `back` the ticket of whoever had it. */
export function commandAnswer(command: Command, usage: TokenUsage, back: string | null): Answer {
  const open = back === null ? '' : ` **${back}** stays open at the service desk.`
  return {
    state: 'answered',
    content: `${contentOf(command, usage)}${open}`,
    agent: 'system',
    type: command === 'tokens' ? 'tokens' : 'message',
    requiresFollowup: false,
    metadata: {},
    conversation: command === 'tokens' ? 'keep' : { agent: null, flow: null },
  }
}

function contentOf(command: Command, usage: TokenUsage): string {
  switch (command) {
    case 'reset':
      return 'Session cleared. Starting fresh!'
    case 'tokens':
      return tokenSummary(usage)
    case 'quit':
      return 'Session ended.'
  }
}
