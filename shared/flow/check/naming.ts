import { builtInNames, reservedWords } from '../names.ts'
import type { Finding } from './describe-issue.ts'
import type { Rule } from './rule.ts'

/** One name for one thing, and none that the engine or a language has taken. */
export const naming: Rule = ({ agent, folder }) => {
  const findings: Finding[] = []
  if (agent.name !== folder) {
    findings.push({ path: ['name'], message: `the name "${agent.name}" is not that of the folder, "${folder}"` })
  }
  const taken = (name: string, path: (string | number)[]) => {
    if (reservedWords.has(name)) findings.push({ path, message: `"${name}" is a word of CEL or Liquid` })
    if (builtInNames.some((one) => one === name)) findings.push({ path, message: `"${name}" is always in scope` })
  }
  for (const name of Object.keys(agent.slots)) taken(name, ['slots', name])
  for (const name of Object.keys(agent.variables)) {
    taken(name, ['variables', name])
    if (Object.hasOwn(agent.slots, name)) {
      findings.push({ path: ['variables', name], message: `"${name}" is a slot already` })
    }
  }
  for (const [step, body] of Object.entries(agent.steps)) {
    if ('save' in body && body.save !== null) {
      taken(body.save, ['steps', step, 'save'])
      if (Object.hasOwn(agent.slots, body.save)) {
        findings.push({ path: ['steps', step, 'save'], message: `"${body.save}" is a slot: save under another name` })
      }
    }
    if (body.verb === 'set') for (const name of Object.keys(body.set)) taken(name, ['steps', step, 'set', name])
  }
  return findings
}
