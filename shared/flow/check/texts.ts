import { expressionFault } from '../expression.ts'
import { namesInScope } from '../names.ts'
import { readTemplate } from '../template.ts'
import type { Finding } from './describe-issue.ts'
import type { Rule } from './rule.ts'
import type { Path } from './source.ts'

/** Every expression is CEL, every text is Liquid, and both use only names that this agent has. */
export const texts: Rule = ({ agent }) => {
  const findings: Finding[] = []
  const scope = namesInScope(agent)
  for (const { path, source } of expressionsOf(agent)) {
    const fault = expressionFault(agent, source)
    if (fault !== null) findings.push({ path, message: sentence(source, fault) })
  }
  for (const { path, source } of templatesOf(agent)) {
    const { fault, names } = readTemplate(source)
    if (fault !== null) findings.push({ path, message: `the text is not Liquid: ${fault}` })
    for (const [name, line] of names) {
      if (!scope.has(name)) findings.push({ path, line, message: `unknown name "${name}" in the text` })
    }
  }
  return findings
}

function sentence(source: string, fault: string): string {
  const unknown = /^Unknown variable: (.*)$/.exec(fault)?.[1]
  return unknown === undefined ? `\`${source}\`: ${fault}` : `unknown name "${unknown}" in \`${source}\``
}

interface Text {
  path: Path
  source: string
}
type Subject = Parameters<Rule>[0]['agent']

function expressionsOf(agent: Subject): Text[] {
  const found: Text[] = Object.entries(agent.slots).flatMap(([name, slot]) =>
    slot.type === 'choice' ? [{ path: ['slots', name, 'from'], source: slot.from }] : [],
  )
  for (const [name, step] of Object.entries(agent.steps)) {
    const at = (source: string, ...path: (string | number)[]) => found.push({ path: ['steps', name, ...path], source })
    const all = (key: string, sources: Record<string, string>) => {
      for (const [one, source] of Object.entries(sources)) at(source, key, one)
    }
    if (step.verb === 'decide' && step.of !== null) at(step.of, 'decide', 'of')
    if (step.verb === 'compose') {
      at(step.question, 'compose')
      at(step.from, 'from')
    }
    if (step.verb === 'call' || step.verb === 'confirm') all('arguments', step.arguments)
    if (step.verb === 'approve') at(step.by, 'by')
    if (step.verb === 'lookup') all('where', step.where)
    if (step.verb === 'search') at(step.query, 'search')
    if (step.verb === 'set') all('set', step.set)
    if (step.verb === 'when') for (const [index, one] of step.cases.entries()) at(one.if, 'when', index, 'if')
  }
  return found
}

function templatesOf(agent: Subject): Text[] {
  return Object.entries(agent.steps).flatMap(([name, step]) => {
    const at = (key: string, source: string | null): Text[] =>
      source === null ? [] : [{ path: ['steps', name, key], source }]
    if (step.verb === 'say') return at('say', step.say)
    if (step.verb === 'approve') return [...at('ask', step.ask), ...at('waiting', step.waiting)]
    if (step.verb === 'ask' || step.verb === 'confirm') return [...at('ask', step.ask), ...at('again', step.again)]
    return []
  })
}
