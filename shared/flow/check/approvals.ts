import { findTool } from '../../tools/catalogue.ts'
import type { Agent, CallStep, ConfirmStep } from '../agent.ts'
import { edgesOf } from '../edges.ts'
import type { Finding } from './describe-issue.ts'
import type { Rule } from './rule.ts'
import { writes } from './tools.ts'

/** Nothing is written without the yes to a question about exactly that, and no other way leads to the write. */
export const approvals: Rule = ({ agent, tools }) => {
  const findings: Finding[] = []
  for (const [name, step] of Object.entries(agent.steps)) {
    if (step.verb !== 'call' && step.verb !== 'confirm') continue
    const tool = findTool(tools, step.tool)
    if (tool === undefined) continue
    if (step.verb === 'confirm') findings.push(...confirmFindings(agent, name, step, writes(tool)))
    else if (writes(tool)) findings.push(...writeFindings(agent, name, step))
    else if (step.approval !== null) {
      findings.push({ path: ['steps', name, 'approval'], message: `"${step.tool}" only reads: it needs no approval` })
    }
  }
  return findings
}

function confirmFindings(agent: Agent, name: string, step: ConfirmStep, write: boolean): Finding[] {
  if (!write) {
    return [{ path: ['steps', name, 'confirm'], message: `"${step.tool}" only reads: there is nothing to confirm` }]
  }
  const next = Object.hasOwn(agent.steps, step.yes) ? agent.steps[step.yes] : undefined
  if (next === undefined || (next.verb === 'call' && next.approval === name)) return []
  if (next.verb === 'approve' && next.confirm === name) return []
  return [{ path: ['steps', name, 'yes'], message: `a yes must lead to the call that uses it (approval: ${name})` }]
}

function writeFindings(agent: Agent, name: string, step: CallStep): Finding[] {
  const { approval, tool } = step
  if (approval === null) {
    return [{ path: ['steps', name, 'call'], message: `"${tool}" writes: it needs the approval of a confirm step` }]
  }
  const confirm = Object.hasOwn(agent.steps, approval) ? agent.steps[approval] : undefined
  if (confirm?.verb !== 'confirm' && confirm?.verb !== 'approve') {
    return [{ path: ['steps', name, 'approval'], message: `there is no confirm or approve step "${approval}"` }]
  }
  const findings: Finding[] = []
  if (confirm.tool !== tool) {
    findings.push({
      path: ['steps', name, 'approval'],
      message: `"${approval}" asks about "${confirm.tool}", not "${tool}"`,
    })
  }
  if (Object.keys(step.arguments).length > 0) {
    findings.push({
      path: ['steps', name, 'arguments'],
      message: 'the arguments are those that were approved: give none',
    })
  }
  if (step.retries > 0) {
    findings.push({ path: ['steps', name, 'retries'], message: `"${tool}" writes: it is not retried here` })
  }
  if (agent.start === name) {
    findings.push({ path: ['start'], message: `step "${name}" writes: only the yes of "${approval}" may lead to it` })
  }
  const places = new Set<string>()
  for (const other of Object.keys(agent.steps)) {
    for (const { to, when, path } of edgesOf(agent, other)) {
      const place = path.join('/')
      if (to !== name || (other === approval && when === 'yes') || places.has(place)) continue
      places.add(place)
      findings.push({ path, message: `step "${name}" writes: only the yes of "${approval}" may lead to it` })
    }
  }
  return findings
}
