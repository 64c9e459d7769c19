import type { Finding } from './describe-issue.ts'
import type { Rule } from './rule.ts'

/** Agents, tables and documents that steps name are there. */
export const surroundings: Rule = ({ agent, agents, documents, tables }) => {
  const findings: Finding[] = []
  for (const [name, step] of Object.entries(agent.steps)) {
    if (step.verb === 'handoff' && !agents.has(step.agent)) {
      findings.push({ path: ['steps', name, 'handoff'], message: `there is no agent "${step.agent}"` })
    }
    if (step.verb === 'handoff' && step.agent === agent.name) {
      findings.push({ path: ['steps', name, 'handoff'], message: 'an agent cannot hand off to itself' })
    }
    if (step.verb === 'lookup' && !tables.has(step.table)) {
      const known = tables.size === 0 ? 'knowledge/ has none' : `knowledge/ has ${[...tables].sort().join(', ')}`
      findings.push({ path: ['steps', name, 'lookup'], message: `there is no table "${step.table}": ${known}` })
    }
    if (step.verb === 'search' && documents.size === 0) {
      findings.push({ path: ['steps', name, 'search'], message: 'knowledge/ has no document (*.md) to search' })
    }
  }
  return findings
}
