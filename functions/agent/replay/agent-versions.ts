import type { Agent, Agents } from '../../../shared/flow/index.ts'
import type { RecordedStep } from '../../../shared/store/recorded-turn.ts'
import { versionOfAll } from '../step-place.ts'

/**
 * Whether agents' files are others than the steps ran with, in a way that these steps could show: a sentence that says
 * which, or null. A difference then says nothing about the engine or the journal.
 */
export function whatChanged(steps: RecordedStep[], agents: Agents): string | null {
  for (const { agent, agentVersion, agentsVersion } of steps) {
    const loaded = agents.byName.get(agent)
    if (loaded === undefined)
      return `There is no agent ${agent} any more: ${advice} (SHA-256 of its file: ${agentVersion})`
    if (agents.version(agent) !== agentVersion) {
      return `The file of agent ${agent} has changed since: ${advice} (SHA-256 of its file: ${agentVersion})`
    }
    if (readsOfOthers(loaded) && versionOfAll(agents) !== agentsVersion) {
      return `The file of an agent that ${agent} tells of or hands over to has changed since: ${advice}`
    }
  }
  return null
}

const advice = 'replay with the version that ran'

/** An agent that offers the others as labels, names them in a text, or hands over to one. */
function readsOfOthers(agent: Agent): boolean {
  const steps = Object.values(agent.steps)
  return (
    steps.some((step) => step.verb === 'handoff' || (step.verb === 'decide' && step.labelsFromAgents)) ||
    /\bagents\b/.test(JSON.stringify(steps))
  )
}
