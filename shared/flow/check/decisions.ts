import { type Agent, type ApproveStep, resume, type Target } from '../agent.ts'
import { edgesOf } from '../edges.ts'
import type { Finding } from './describe-issue.ts'
import type { Rule } from './rule.ts'

/** What only an employee's message can answer, or only a conversation can take. */
const needsConversation = new Set(['ask', 'confirm', 'approve', 'decide', 'extract', 'handoff'])

/** Well within the time for which the question's request is kept. */
const longestMs = 30 * 86_400_000

/**
 * Somebody else is asked only for what the employee has confirmed, and what follows their decision runs to its end by
 * itself: by then the conversation is about something else.
 */
export const decisions: Rule = ({ agent }) => {
  const findings: Finding[] = []
  for (const [name, step] of Object.entries(agent.steps)) {
    if (step.verb !== 'approve') continue
    findings.push(...confirmFindings(agent, name, step))
    if (step.expiresMs > longestMs) {
      findings.push({ path: ['steps', name, 'expires'], message: 'a decision takes 30 days at most' })
    }
    const judged = new Set<Target>()
    for (const key of ['yes', 'no', 'expired'] as const) {
      for (const reached of reach(agent, step[key])) {
        if (judged.has(reached)) continue
        judged.add(reached)
        const verb = agent.steps[reached]?.verb
        if (reached !== resume && (verb === undefined || !needsConversation.has(verb))) continue
        const what = reached === resume ? resume : `step "${reached}" (${verb})`
        findings.push({
          path: ['steps', name, key],
          message: `leads to ${what}: after somebody else's decision nobody is there to answer`,
        })
      }
    }
  }
  return findings
}

function confirmFindings(agent: Agent, name: string, step: ApproveStep): Finding[] {
  const confirm = Object.hasOwn(agent.steps, step.confirm) ? agent.steps[step.confirm] : undefined
  if (confirm?.verb !== 'confirm') {
    return [{ path: ['steps', name, 'approve'], message: `there is no confirm step "${step.confirm}"` }]
  }
  const findings: Finding[] = []
  const next = Object.hasOwn(agent.steps, step.yes) ? agent.steps[step.yes] : undefined
  if (next !== undefined && !(next.verb === 'call' && next.approval === name)) {
    findings.push({
      path: ['steps', name, 'yes'],
      message: `a yes must lead to the call that uses it (approval: ${name})`,
    })
  }
  if (agent.start === name) {
    findings.push({ path: ['start'], message: `only the yes of "${step.confirm}" may lead to step "${name}"` })
  }
  for (const other of Object.keys(agent.steps)) {
    for (const { to, when, path } of edgesOf(agent, other)) {
      if (to !== name || (other === step.confirm && when === 'yes')) continue
      findings.push({ path, message: `only the yes of "${step.confirm}" may lead to step "${name}"` })
    }
  }
  return findings
}

function reach(agent: Agent, start: Target): Set<Target> {
  const reached = new Set([start])
  for (const name of reached) {
    if (name === resume) continue
    for (const { to } of edgesOf(agent, name)) reached.add(to)
  }
  return reached
}
