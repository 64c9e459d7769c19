import { createHash } from 'node:crypto'
import { type Agents, canonicalJson, type FlowState } from '../../shared/flow/index.ts'
import type { StepPlace } from '../../shared/store/journal.ts'
import type { TurnInContext } from '../../shared/store/turns.ts'
import type { Walked } from './walk-flow.ts'

/** Where a step began and ended, as the journal keeps it. */
export function placeOf(agents: Agents, turn: TurnInContext, walked: Walked): StepPlace {
  return {
    flow: turn.step === 0 ? turn.flow : null,
    approval: walked.approval,
    stateHash: hashState(walked.flow),
    agentVersion: agents.version(turn.agent),
    agentsVersion: versionOfAll(agents),
  }
}

/** SHA-256 (hex) of a flow's state, in whatever order its keys come. */
export function hashState(flow: FlowState): string {
  return sha256(canonicalJson({ ...flow }))
}

const versions = new WeakMap<Agents, string>()

/** SHA-256 (hex) over the names and versions of a folder's agents. */
export function versionOfAll(agents: Agents): string {
  const known = versions.get(agents)
  if (known !== undefined) return known
  const names = [...agents.byName.keys()].sort()
  const version = sha256(names.map((name) => `${name} ${agents.version(name)}\n`).join(''))
  versions.set(agents, version)
  return version
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
