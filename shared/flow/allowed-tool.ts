import { Fault } from '../errors/fault.ts'
import type { Agent } from './agent.ts'

/**
 * Holds a step to its agent's list of tools in the moment of the call. The check of the files says the same before;
 * this makes it harmless that an agent came here unchecked.
 * @throws Fault `tool.not-allowed`
 */
export function requireAllowed(agent: Agent, step: string, tool: string): void {
  if (agent.tools.includes(tool)) return
  throw new Fault('tool.not-allowed', `step ${step} of ${agent.name} may not call ${tool}`)
}
