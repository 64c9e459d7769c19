import { Fault } from '../../shared/errors/fault.ts'
import { eventTypes } from '../../shared/events/catalogue.ts'
import { chainOf, type Event } from '../../shared/events/event.ts'
import { parseData } from '../../shared/events/parse.ts'
import { readCommand } from '../../shared/flow/index.ts'
import type { Lease } from '../../shared/stage/once.ts'
import { findStanding } from '../../shared/store/handoffs.ts'
import { findTurnInContext, parkTurn, type TurnInContext } from '../../shared/store/turns.ts'
import { answerCommand } from './answer-command.ts'
import { callPerson } from './call-person.ts'
import { commitStep } from './commit-step.ts'
import { liveOutside } from './live-outside.ts'
import type { AgentParts } from './parts.ts'
import { staySilent } from './stay-silent.ts'
import { placeOf } from './step-place.ts'
import { walkFlow } from './walk-flow.ts'

/** After so many failed attempts at a model the turn waits for a tick instead of filling the broker with retries. */
const attemptsBeforeWaiting = 3

/**
 * Milliseconds from its beginning that a turn may wait for the model where somebody else's decision began it. The
 * employee can ask again after a quarter of an hour; whoever decided has nothing to decide any more.
 */
const decisionWaitMs = 2 * 3_600_000

/**
 * Runs one step of a turn: at most one model call or one tool call, and the pure steps around it. The result, the
 * journal and the next event commit together; nothing acts on an answer that is not journalled.
 */
export async function runStep(event: Event, lease: Lease, parts: AgentParts): Promise<Event | null> {
  if (event.type !== eventTypes.agentStep) throw new Fault('event.unknown-type', event.type)
  const data = parseData(event, eventTypes.agentStep)
  const turn = await findTurnInContext(parts.database, data.turn_id)
  const current =
    turn !== null &&
    turn.current === turn.id &&
    turn.step === data.step &&
    turn.agent === data.agent_id &&
    (turn.state === 'open' || turn.state === 'waiting')
  if (!current) return lease.finish(async () => null)
  if (turn.step >= parts.limits.stepsPerTurn) throw new Fault('flow.loop', `turn ${turn.id} took ${turn.step} steps`)

  const chain = chainOf(event)
  const isMessage = turn.step === 0 && turn.decided === null
  const standing = isMessage ? await findStanding(parts.database, turn) : null
  if (standing?.callsPerson) return callPerson(turn, 'failed', lease, parts, chain)
  const handoff = standing?.handoff ?? null
  const command = isMessage ? readCommand(turn.content) : null
  if (command !== null) {
    return lease.finish((sql) => answerCommand(sql, turn, command, { chain, handoff, now: parts.now() }))
  }
  const silent = handoff === null ? null : await staySilent(turn, handoff, lease, parts, chain)
  if (silent !== null) return silent.event
  try {
    const startedAt = parts.now()
    const walked = await walkFlow(turn, parts.agents, liveOutside(turn, lease, parts, startedAt))
    const place = placeOf(parts.agents, turn, walked)
    return await lease.finish((sql) => commitStep(sql, turn, walked, { chain, place, startedAt, now: parts.now() }))
  } catch (error) {
    if (Fault.is(error) && error.code === 'flow.budget-spent') {
      return callPerson(turn, 'budget-spent', lease, parts, chain)
    }
    if (!isModelAway(error) || lease.attempts < attemptsBeforeWaiting) throw error
    return lease.finish(async (sql) => {
      await parkTurn(sql, turn.id, turn.step, waitsUntil(turn))
      return null
    })
  }
}

function waitsUntil({ decided, deadline, openedAt }: TurnInContext): Date {
  return decided === null ? deadline : new Date(openedAt.getTime() + decisionWaitMs)
}

function isModelAway(error: unknown): boolean {
  return Fault.is(error) && error.class === 'retryable' && error.code.startsWith('model.')
}
