import { type Agent, resume, type Step } from './agent.ts'
import { edgesOf, nameOfAgent } from './edges.ts'

/** A Mermaid flowchart of the agent: its steps in the file's order, questions as parallelograms, writes as subroutines. */
export function drawAgent(agent: Agent): string {
  const ids = new Map(Object.keys(agent.steps).map((name, index) => [name, `s${index}`]))
  const idOf = (name: string) => ids.get(name) ?? 'unknown'
  const lines = ['flowchart TD', `  start([${quote(agent.title)}]) --> ${idOf(agent.start)}`]
  const anytime = new Set(agent.anytime.map(({ name }) => name))
  let anyAnytime = false
  let anyResume = false
  for (const [name, step] of Object.entries(agent.steps)) {
    lines.push(`  ${idOf(name)}${shape(name, step)}`)
    for (const { to, when, path } of edgesOf(agent, name)) {
      // Drawn once for the agent, not once for every decide.
      if (path[0] === 'anytime' && anytime.has(when)) {
        anyAnytime = true
        continue
      }
      anyResume ||= to === resume
      const arrow = when === '' ? '-->' : `-->|${quote(when)}|`
      lines.push(`  ${idOf(name)} ${arrow} ${to === resume ? 'resume' : idOf(to)}`)
    }
    if (step.verb === 'handoff') lines.push(`  ${idOf(name)} --> agent_${ids.get(name) ?? ''}([${quote(step.agent)}])`)
    if (step.verb === 'decide' && step.labelsFromAgents && step.next === null) {
      lines.push(`  ${idOf(name)} -->|${quote(nameOfAgent)}| agents([${quote('that agent')}])`)
    }
  }
  if (anyAnytime) {
    lines.push(`  anytime{{${quote('at any time')}}}`)
    for (const { name, next } of agent.anytime) {
      anyResume ||= next === resume
      lines.push(`  anytime -->|${quote(name)}| ${next === resume ? 'resume' : idOf(next)}`)
    }
  }
  if (anyResume) lines.push(`  resume([${quote('back to the question')}])`)
  return `${lines.join('\n')}\n`
}

function shape(name: string, step: Step): string {
  const text = quote(`${name}<br/>${step.verb}${subject(step)}`)
  switch (step.verb) {
    case 'ask':
    case 'confirm':
    case 'approve':
      return `[/${text}/]`
    case 'decide':
    case 'extract':
    case 'when':
      return `{${text}}`
    case 'call':
      return step.approval === null ? `[${text}]` : `[[${text}]]`
    case 'lookup':
    case 'search':
      return `[(${text})]`
    case 'end':
      return `((${text}))`
    default:
      return `[${text}]`
  }
}

function subject(step: Step): string {
  switch (step.verb) {
    case 'call':
    case 'confirm':
      return ` ${step.tool}`
    case 'lookup':
      return ` ${step.table}`
    case 'extract':
      return ` ${step.slots.join(', ')}`
    case 'set':
      return ` ${Object.keys(step.set).join(', ')}`
    default:
      return ''
  }
}

/** Text that Mermaid takes for text: its entities are written with # and stand for what would end the string. */
function quote(text: string): string {
  const kept = '<br/>'
  const safe = text
    .split(kept)
    .map((part) =>
      part
        .replaceAll('#', '#35;')
        .replaceAll('"', '#quot;')
        .replaceAll('<', '#lt;')
        .replaceAll('>', '#gt;')
        .replaceAll('|', '#124;')
        .replace(/\s+/g, ' '),
    )
    .join(kept)
  return `"${safe}"`
}
