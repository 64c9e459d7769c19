import type { Effect, EffectResult } from '../../shared/flow/index.ts'
import { lookUp, search } from '../../shared/knowledge/index.ts'
import type { Lease } from '../../shared/stage/once.ts'
import { findApproval } from '../../shared/store/approvals.ts'
import type { TurnInContext } from '../../shared/store/turns.ts'
import { askModel } from './ask-model.ts'
import type { AgentParts } from './parts.ts'
import { readTool, writeTool } from './use-tool.ts'
import type { Outside, ReadEffect } from './walk-flow.ts'

/** What a step reaches in the running system: the store, the model and the tools, under the step's lease. */
export function liveOutside(turn: TurnInContext, lease: Lease, parts: AgentParts, now: Date): Outside {
  return {
    now,
    findApproval: (id) => findApproval(parts.database, turn.session, id),
    read: (effect) => read(effect, turn, parts),
    perform: (effect) => perform(effect, turn, lease, parts),
  }
}

async function read(effect: ReadEffect, turn: TurnInContext, parts: AgentParts): Promise<EffectResult> {
  if (effect.kind === 'lookup') {
    const rows = await lookUp(parts.database, { agent: turn.agent, table: effect.table, where: effect.where })
    return { kind: 'rows', rows }
  }
  const passages = await search(parts.database, { agent: turn.agent, query: effect.query, limit: effect.limit })
  return { kind: 'passages', passages }
}

async function perform(effect: Exclude<Effect, ReadEffect>, turn: TurnInContext, lease: Lease, parts: AgentParts) {
  if (effect.kind !== 'call') return askModel(effect, turn, lease.signal, parts)
  return effect.approval === null
    ? readTool(effect, turn, lease, parts)
    : writeTool(effect, effect.approval, turn, lease, parts)
}
