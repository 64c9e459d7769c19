import { findTool, type Tool } from '../../tools/catalogue.ts'
import { isJsonObject } from '../json.ts'
import type { Finding } from './describe-issue.ts'
import type { Rule } from './rule.ts'

/** A tool that does not say of itself that it only reads is taken for one that writes. */
export function writes(tool: Tool): boolean {
  return tool.annotations?.readOnlyHint !== true
}

/** Tools are known and allowed, and get the arguments they take. */
export const tools: Rule = ({ agent, tools: catalogue }) => {
  const findings: Finding[] = []
  for (const [index, name] of agent.tools.entries()) {
    if (findTool(catalogue, name) === undefined) {
      findings.push({ path: ['tools', index], message: `there is no tool "${name}"` })
    }
  }
  const used = new Set<string>()
  for (const [name, step] of Object.entries(agent.steps)) {
    if (step.verb !== 'call' && step.verb !== 'confirm') continue
    used.add(step.tool)
    const path = ['steps', name, step.verb]
    const tool = findTool(catalogue, step.tool)
    if (!agent.tools.includes(step.tool)) {
      findings.push({ path, message: `the tool "${step.tool}" is not among this agent's tools` })
    } else if (tool !== undefined && !(step.verb === 'call' && step.approval !== null)) {
      findings.push(...argumentFindings(tool, step.tool, Object.keys(step.arguments), ['steps', name]))
    }
  }
  for (const [index, name] of agent.tools.entries()) {
    if (!used.has(name)) findings.push({ path: ['tools', index], message: `no step uses the tool "${name}"` })
    if (agent.tools.indexOf(name) !== index)
      findings.push({ path: ['tools', index], message: `"${name}" stands twice` })
  }
  return findings
}

function argumentFindings({ inputSchema }: Tool, name: string, given: string[], path: string[]): Finding[] {
  const { properties, required, additionalProperties } = inputSchema
  const known = isJsonObject(properties) ? Object.keys(properties) : []
  const needed = Array.isArray(required) ? required.filter((one) => typeof one === 'string') : []
  const open = additionalProperties === true || isJsonObject(additionalProperties)
  return [
    ...given
      .filter((argument) => !open && !known.includes(argument))
      .map((argument) => ({
        path: [...path, 'arguments', argument],
        message: `the tool "${name}" takes no argument "${argument}"`,
      })),
    ...needed
      .filter((argument) => !given.includes(argument))
      .map((argument) => ({
        path: [...path, 'arguments'],
        message: `the argument "${argument}" of the tool "${name}" is missing`,
      })),
  ]
}
