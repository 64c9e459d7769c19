import { Fault } from '../../shared/errors/fault.ts'
import type { Agent, Agents } from '../../shared/flow/index.ts'

/** The agent of that name. @throws Fault `flow.step-unknown` where the deployed set has none. */
export function requireAgent(agents: Agents, name: string): Agent {
  const agent = agents.byName.get(name)
  if (agent === undefined) throw new Fault('flow.step-unknown', `no agent ${name}`)
  return agent
}
