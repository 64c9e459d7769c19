import { Fault } from '../errors/fault.ts'
import type { Agent, Agents } from './agent.ts'

/** Agents that are checked already, each with the SHA-256 (hex) of its file. */
export function gatherAgents(checked: { agent: Agent; version: string }[]): Agents {
  const byName = new Map(checked.map(({ agent }) => [agent.name, agent]))
  const versions = new Map(checked.map(({ agent, version }) => [agent.name, version]))
  return {
    byName,
    version: (name) => {
      const version = versions.get(name)
      if (version === undefined) throw new Fault('flow.step-unknown', `there is no agent ${name}`)
      return version
    },
  }
}
