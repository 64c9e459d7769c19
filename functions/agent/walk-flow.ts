import { deterministicId } from '../../shared/events/event.ts'
import {
  type Agents,
  type ApprovalChange,
  advance,
  canonicalJson,
  type Effect,
  type EffectResult,
  type FlowState,
  type Input,
  type Json,
  type Outcome,
  type Scope,
  startFlow,
} from '../../shared/flow/index.ts'
import type { Approval } from '../../shared/store/approvals.ts'
import type { TurnInContext } from '../../shared/store/turns.ts'
import { requireAgent } from './agents.ts'

export type ReadEffect = Extract<Effect, { kind: 'lookup' | 'search' }>

/** All that a step asks of anything but the flow itself: the live system, or a journal that answers as it did then. */
export interface Outside {
  /** The step's one moment: ages and expiries are reckoned from it. */
  now: Date
  findApproval(id: string): Promise<Approval | null>
  read(effect: ReadEffect): Promise<EffectResult>
  perform(effect: Exclude<Effect, ReadEffect>): Promise<{ record: CallRecord; result: EffectResult }>
}

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
  reads: { effect: ReadEffect; result: EffectResult }[]
  /** The state in which the approval that the flow named was found. */
  approval: Approval['state'] | null
}

/** Walks the flow from where the turn stands to its next call after this step's own, or to the end of the turn. */
export async function walkFlow(turn: TurnInContext, agents: Agents, outside: Outside): Promise<Walked> {
  const agent = requireAgent(agents, turn.agent)
  const before = inOneOrder(turn.flow ?? startFlow(agent))
  const input = inputOf(turn, before)
  const approval = before.approval === null ? null : await outside.findApproval(before.approval)
  const scope: Scope = {
    person: { email: turn.email },
    speaker: turn.speaker,
    button: turn.button,
    now: outside.now,
    message: turn.content,
    newId: (purpose) => deterministicId('approval', turn.id, String(turn.step), purpose),
    approval,
  }

  const reads: Walked['reads'] = []
  const said: string[] = []
  const approvals: ApprovalChange[] = []
  let call: CallRecord | null = null
  let outcome = advance(agents, before, input, scope)
  for (;;) {
    said.push(...outcome.said)
    approvals.push(...outcome.approvals)
    const { state: flow, move } = outcome
    const walked = { flow, said, approvals, call, reads, approval: approval?.state ?? null }
    if (move.kind !== 'effect') return { ...walked, move }
    const { effect } = move
    let result: EffectResult
    if (effect.kind === 'lookup' || effect.kind === 'search') {
      result = await outside.read(effect)
      reads.push({ effect, result })
    } else {
      // A write runs only from committed state: its grant, and the step that leads to it, stand in Postgres first.
      const uncommitted = input.kind !== 'continue' || approvals.length > 0 || said.length > 0
      if (call !== null || (isWrite(effect) && uncommitted)) return { ...walked, move: { kind: 'step' } }
      const done = await outside.perform(effect)
      call = done.record
      result = done.result
    }
    outcome = advance(agents, flow, { kind: 'result', result: inOneOrder(result) }, scope)
  }
}

function inputOf(turn: TurnInContext, before: FlowState): Input {
  if (turn.flow !== null && before.waiting === null) return { kind: 'continue' }
  return before.waiting === 'decision' ? { kind: 'decision' } : { kind: 'message', text: turn.content }
}

/**
 * The same value with the keys of its objects in one order. Postgres keeps JSON in an order of its own, and an agent's
 * texts must not depend on whether a value came straight from a tool or by way of the journal.
 */
function inOneOrder<Value extends FlowState | EffectResult>(value: Value): Value {
  return JSON.parse(canonicalJson(value as unknown as Json)) as Value
}

function isWrite(effect: Effect): boolean {
  return effect.kind === 'call' && effect.approval !== null
}
