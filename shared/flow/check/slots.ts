import { patternFault } from '../slot-pattern.ts'
import type { Finding } from './describe-issue.ts'
import type { Rule } from './rule.ts'

/** Slots can be filled, and an extract knows where to go whatever it does not find. */
export const slots: Rule = ({ agent }) => {
  const findings: Finding[] = []
  for (const [name, slot] of Object.entries(agent.slots)) {
    if (slot.type === 'text' && slot.pattern !== null) {
      const fault = patternFault(slot.pattern)
      if (fault !== null) findings.push({ path: ['slots', name, 'pattern'], message: `the pattern ${fault}` })
    }
    if (slot.type === 'integer' && slot.minimum !== null && slot.maximum !== null && slot.minimum > slot.maximum) {
      findings.push({ path: ['slots', name, 'minimum'], message: 'the minimum is above the maximum' })
    }
  }
  const extracted = new Set<string>()
  for (const [name, step] of Object.entries(agent.steps)) {
    const path = ['steps', name]
    if (step.verb === 'ask' && step.choices?.kind === 'slot' && agent.slots[step.choices.slot]?.type !== 'choice') {
      findings.push({ path: [...path, 'choices'], message: `there is no choice slot "${step.choices.slot}"` })
    }
    if (step.verb !== 'extract') continue
    for (const [index, slot] of step.slots.entries()) {
      extracted.add(slot)
      if (!Object.hasOwn(agent.slots, slot)) {
        findings.push({ path: [...path, 'extract', index], message: `there is no slot "${slot}"` })
      } else if (step.slots.indexOf(slot) !== index) {
        findings.push({ path: [...path, 'extract', index], message: `the slot "${slot}" stands twice` })
      } else if (step.none === null && !Object.hasOwn(step.missing, slot)) {
        findings.push({ path, message: `nothing says where to go without "${slot}": give "none" or "missing"` })
      }
    }
    for (const slot of Object.keys(step.missing)) {
      if (!step.slots.includes(slot)) {
        findings.push({ path: [...path, 'missing', slot], message: `the step does not extract "${slot}"` })
      }
    }
  }
  for (const name of Object.keys(agent.slots)) {
    if (!extracted.has(name)) findings.push({ path: ['slots', name], message: `no step extracts the slot "${name}"` })
  }
  return findings
}
