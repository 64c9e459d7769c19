import type { Label } from '../agent.ts'
import { foldPhrase } from '../fold-text.ts'
import type { Finding } from './describe-issue.ts'
import type { Rule } from './rule.ts'

/** A decide has something to decide, and each of its labels, examples and bare answers stands for one thing. */
export const labels: Rule = ({ agent, agents }) => {
  const findings = new Map<string, Finding>()
  const add = (finding: Finding) => findings.set(`${finding.path.join('/')} ${finding.message}`, finding)
  for (const [name, step] of Object.entries(agent.steps)) {
    if (step.verb !== 'decide') continue
    const own = step.labels.map((label) => ({ label, path: ['steps', name, 'labels', label.name] }))
    const always = (step.anytime ? agent.anytime : []).map((label) => ({ label, path: ['anytime', label.name] }))
    const all = [...own, ...always]
    if (own.length === 0 && !step.labelsFromAgents) {
      add({ path: ['steps', name], message: `step "${name}" has no labels` })
    }
    const kept = [step.save, step.next].filter((one) => one !== null).length
    if (kept === 1 || (kept === 2 && !step.labelsFromAgents)) {
      const message = `step "${name}" keeps a chosen agent only with "labels-from", "save" and "next" together`
      add({ path: ['steps', name], message })
    }
    for (const { label, path } of own) {
      if (always.some((other) => other.label.name === label.name)) {
        add({ path, message: `the label "${label.name}" is offered at any time already` })
      }
      if (step.labelsFromAgents && agents.has(label.name)) {
        add({ path, message: `the label "${label.name}" is the name of an agent` })
      }
    }
    for (const answer of ['affirmative', 'negative'] as const) {
      const [, ...more] = all.filter(({ label }) => label[answer])
      for (const { label, path } of more) {
        add({ path, message: `"${label.name}" is the second ${answer} label of step "${name}"` })
      }
    }
    for (const finding of repeatedExamples(all, name)) add(finding)
  }
  return [...findings.values()]
}

function repeatedExamples(all: { label: Label; path: string[] }[], step: string): Finding[] {
  const first = new Map<string, string>()
  return all.flatMap(({ label, path }) =>
    label.examples.flatMap((example, index) => {
      const words = foldPhrase(example)
      const other = first.get(words)
      if (other === undefined) first.set(words, label.name)
      if (other === undefined || other === label.name) return []
      const message = `"${example}" is an example of "${other}" too, in step "${step}"`
      return [{ path: [...path, 'examples', index], message }]
    }),
  )
}
