import type { FaultCode } from '../../shared/errors/catalogue.ts'
import { Fault } from '../../shared/errors/fault.ts'
import type { Effect, EffectResult } from '../../shared/flow/index.ts'
import { faultPoint } from '../../shared/stage/fault-point.ts'
import type { Lease } from '../../shared/stage/once.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { lockSession } from '../../shared/store/sessions.ts'
import { recordWrite, settleMs } from '../../shared/store/tool-calls.ts'
import { findTurn, type TurnInContext } from '../../shared/store/turns.ts'
import type { AgentParts, ToolCall, ToolOutcome } from './parts.ts'
import type { CallRecord } from './walk-flow.ts'

/** What a write answered may be no use and the write done all the same: that is no refusal. */
const unreadable: readonly FaultCode[] = ['tool.answer-invalid', 'tool.answer-too-large']

type CallEffect = Extract<Effect, { kind: 'call' }>
type Done = { record: CallRecord; result: EffectResult }

/**
 * Calls a read tool. A passing fault goes back to the broker as often as the step allows; after that it is an outcome,
 * and the flow's failure branch speaks.
 */
export async function readTool(
  effect: CallEffect,
  turn: TurnInContext,
  lease: Lease,
  parts: AgentParts,
): Promise<Done> {
  const { tool, timeoutMs } = effect
  const call = { tool, arguments: effect.arguments, person: turn.email, timeoutMs, approval: null }
  const outcome = await attempt(call, lease, parts, (fault) => {
    return fault.class !== 'retryable' || lease.attempts > effect.retries
  })
  return done(effect, outcome, null)
}

/**
 * Calls a write tool with what was approved. The ledger's row is committed first and names the arguments and the
 * moment after which the tool must not begin; a repetition, in this turn or a later one, repeats that row, never a new
 * computation.
 * @throws Fault `tool.not-approved`, and the retryable `tool.*` faults while the outcome can still be learned
 */
export async function writeTool(
  effect: CallEffect,
  approval: string,
  turn: TurnInContext,
  lease: Lease,
  parts: AgentParts,
): Promise<Done> {
  const entry = await lease.record(async (sql) => {
    await requireCurrent(sql, turn)
    const now = parts.now()
    return recordWrite(sql, {
      turn: turn.id,
      step: turn.step,
      session: turn.session,
      tool: effect.tool,
      approval,
      notAfter: new Date(now.getTime() + parts.limits.writeWindowMs),
      now,
    })
  })
  if (entry === null) throw new Fault('tool.not-approved', `${effect.tool} in turn ${turn.id}`)
  const { tool, argumentsHash, notAfter } = entry
  const call = {
    tool,
    arguments: entry.arguments,
    person: turn.email,
    timeoutMs: effect.timeoutMs,
    approval: { id: entry.approval, argumentsHash, notAfter },
  }
  // While it may still begin, or be looked up, the broker tries again; after that its end is not known, and said so.
  const over = notAfter.getTime() + settleMs
  const outcome = await attempt(call, lease, parts, (fault) => {
    return fault.class !== 'retryable' || parts.now().getTime() > over
  })
  const unknown = !outcome.ok && outcome.code === 'tool.outcome-unknown'
  const state = outcome.ok ? 'done' : unknown ? 'parked' : 'failed'
  return done(effect, outcome, { approval: entry.approval, state }, entry.arguments)
}

/**
 * A process that hung while its turn was closed still has its fence: under the session's lock it sees that the turn is
 * over, and uses no approval for it.
 */
async function requireCurrent(sql: Sql, turn: TurnInContext): Promise<void> {
  const session = await lockSession(sql, turn.session)
  const stored = await findTurn(sql, turn.id)
  const open = stored?.state === 'open' || stored?.state === 'waiting'
  if (session?.turn !== turn.id || stored?.step !== turn.step || !open) {
    throw new Fault('stage.superseded', `turn ${turn.id} ended before its write began`)
  }
}

function done(effect: CallEffect, outcome: ToolOutcome, write: CallRecord['write'], sent = effect.arguments): Done {
  return {
    record: {
      kind: 'call',
      step: effect.step,
      promptHash: null,
      request: { tool: effect.tool, arguments: sent, approval: effect.approval },
      answer: outcome,
      inputTokens: 0,
      outputTokens: 0,
      write,
    },
    result: { kind: 'called', outcome },
  }
}

/** Calls the tool; a tool's fault that `isFinal` becomes an outcome for the flow, any other goes to the broker. */
async function attempt(
  call: ToolCall,
  lease: Lease,
  parts: AgentParts,
  isFinal: (fault: Fault) => boolean,
): Promise<ToolOutcome> {
  try {
    await faultPoint('agent: before tool call')
    const outcome = await parts.callTool(call, lease.signal)
    await faultPoint('agent: after tool call')
    return outcome
  } catch (error) {
    const ours = Fault.is(error) && error.code.startsWith('tool.') && !lease.signal.aborted
    if (!ours || !isFinal(error)) throw error
    const unknown = call.approval !== null && (error.class === 'retryable' || unreadable.includes(error.code))
    const { code, says } = unknown ? unknownOutcome(error) : error
    return { ok: false, code, message: says ?? 'The system I asked is not available right now.' }
  }
}

function unknownOutcome(cause: Fault): Fault {
  return new Fault('tool.outcome-unknown', cause.message, { cause })
}
