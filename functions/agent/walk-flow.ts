import { deterministicId } from '../../shared/events/event.ts'
import {
  type ApprovalChange,
  advance,
  type Effect,
  type EffectResult,
  type FlowState,
  type Input,
  type Outcome,
  type Scope,
  startFlow,
} from '../../shared/flow/index.ts'
import { lookUp, search } from '../../shared/knowledge/index.ts'
import type { Lease } from '../../shared/stage/once.ts'
import { findApproval } from '../../shared/store/approvals.ts'
import type { TurnInContext } from '../../shared/store/turns.ts'
import { requireAgent } from './agents.ts'
import { askModel, type ModelEffect } from './ask-model.ts'
import type { AgentParts } from './parts.ts'
import { readTool, writeTool } from './use-tool.ts'

/** The one call of a step, as the journal keeps it. */
export interface CallRecord {
  kind: Effect['kind']
  step: string
  promptHash: string | null
  request: unknown
  answer: unknown
  inputTokens: number
  outputTokens: number
  /** How the ledger's row ends, where the call was a write. */
  write: { approval: string; state: 'done' | 'failed' | 'parked' } | null
}

/** What a step did and where it got to, before anything of it is committed. */
export interface Walked {
  flow: FlowState
  said: string[]
  approvals: ApprovalChange[]
  move: { kind: 'step' } | Exclude<Outcome['move'], { kind: 'effect' }>
  call: CallRecord | null
  reads: unknown[]
}

/** Walks the flow from where the turn stands to its next call after this step's own, or to the end of the turn. */
export async function walkFlow(turn: TurnInContext, lease: Lease, parts: AgentParts): Promise<Walked> {
  const agent = requireAgent(parts.agents, turn.agent)
  const before = turn.flow ?? startFlow(agent)
  const input: Input =
    turn.flow === null || before.waiting !== null ? { kind: 'message', text: turn.content } : { kind: 'continue' }
  const approval = before.approval === null ? null : await findApproval(parts.database, turn.session, before.approval)
  const scope: Scope = {
    person: { email: turn.email },
    now: parts.now(),
    message: turn.content,
    newId: (purpose) => deterministicId('approval', turn.id, String(turn.step), purpose),
    approval,
  }

  const reads: unknown[] = []
  const said: string[] = []
  const approvals: ApprovalChange[] = []
  let call: CallRecord | null = null
  let outcome = advance(parts.agents, before, input, scope)
  for (;;) {
    said.push(...outcome.said)
    approvals.push(...outcome.approvals)
    if (outcome.move.kind !== 'effect') return { flow: outcome.state, said, approvals, move: outcome.move, call, reads }
    const { effect } = outcome.move
    let result: EffectResult
    if (effect.kind === 'lookup' || effect.kind === 'search') {
      result = await read(effect, turn, parts)
      reads.push({ effect, result })
    } else {
      // A write runs only from committed state: its grant, and the step that leads to it, stand in Postgres first.
      const uncommitted = input.kind !== 'continue' || approvals.length > 0 || said.length > 0
      if (call !== null || (isWrite(effect) && uncommitted)) {
        return { flow: outcome.state, said, approvals, move: { kind: 'step' }, call, reads }
      }
      const done = await perform(effect, turn, lease, parts)
      call = done.record
      result = done.result
    }
    outcome = advance(parts.agents, outcome.state, { kind: 'result', result }, scope)
  }
}

function isWrite(effect: Effect): boolean {
  return effect.kind === 'call' && effect.approval !== null
}

async function read(
  effect: Extract<Effect, { kind: 'lookup' | 'search' }>,
  turn: TurnInContext,
  parts: AgentParts,
): Promise<EffectResult> {
  if (effect.kind === 'lookup') {
    const rows = await lookUp(parts.database, { agent: turn.agent, table: effect.table, where: effect.where })
    return { kind: 'rows', rows }
  }
  const passages = await search(parts.database, { agent: turn.agent, query: effect.query, limit: effect.limit })
  return { kind: 'passages', passages }
}

async function perform(
  effect: ModelEffect | Extract<Effect, { kind: 'call' }>,
  turn: TurnInContext,
  lease: Lease,
  parts: AgentParts,
): Promise<{ record: CallRecord; result: EffectResult }> {
  if (effect.kind !== 'call') return askModel(effect, turn, lease.signal, parts)
  return effect.approval === null
    ? readTool(effect, turn, lease, parts)
    : writeTool(effect, effect.approval, turn, lease, parts)
}
