import type { Agent, Agents, Step } from '../agent.ts'
import { gatherAgents } from '../gather-agents.ts'

/** One agent, `a`, of nothing but these steps; it starts at step `a`, and its variable `n` is 1. */
export function only(steps: Record<string, Step>): Agents {
  return gatherAgents([{ agent: onlyAgent(steps), version: '0' }])
}

export function onlyAgent(steps: Record<string, Step>): Agent {
  return {
    name: 'a',
    title: 'A',
    description: 'a',
    examples: [],
    tools: Object.values(steps).flatMap((step) => (step.verb === 'call' ? [step.tool] : [])),
    slots: {},
    variables: { n: 1 },
    anytime: [],
    start: 'a',
    steps,
  }
}
