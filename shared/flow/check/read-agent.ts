import type { Agent, Verb } from '../agent.ts'
import { buildAgent } from '../build-agent.ts'
import { agentFileHead, type StepFile, stepSchemas } from '../schema.ts'
import { describeIssue, type Finding } from './describe-issue.ts'
import { readSource, type Source } from './source.ts'

export interface ReadAgent {
  /** null where the file does not have the form of an agent. */
  agent: Agent | null
  source: Source
  findings: Finding[]
}

/** Reads agent.yaml as far as its form goes. What its parts mean together is for the rules. */
export function readAgent(text: string): ReadAgent {
  const source = readSource(text)
  if (source.faults.length > 0) return { agent: null, source, findings: [] }
  const head = agentFileHead.safeParse(source.value)
  const findings = head.success ? [] : head.error.issues.flatMap((issue) => describeIssue(issue, [], source.value))
  const steps = new Map<string, StepFile>()
  for (const [name, step] of Object.entries(stepsOf(source.value))) {
    const read = readStep(name, step)
    if ('verb' in read) steps.set(name, read)
    else findings.push(...read)
  }
  const agent = head.success && findings.length === 0 ? buildAgent(head.data, steps) : null
  return { agent, source, findings }
}

const verbs = Object.keys(stepSchemas) as Verb[]

function readStep(name: string, step: unknown): StepFile | Finding[] {
  const path = ['steps', name]
  if (typeof step !== 'object' || step === null) return [] // the schema of the file has said so
  const found = verbs.filter((verb) => Object.hasOwn(step, verb))
  // `ask` is a verb, and the text of a confirm and of an approve.
  const asks = found.includes('confirm') || found.includes('approve')
  const named = asks ? found.filter((verb) => verb !== 'ask') : found
  const [verb, second] = named
  if (verb === undefined) {
    return [{ path, message: `step "${name}" has no verb: one of ${verbs.join(', ')}` }]
  }
  if (second !== undefined) {
    return [{ path: [...path, second], message: `step "${name}" has two verbs: ${verb} and ${second}` }]
  }
  return parseStep(verb, path, step)
}

function parseStep<V extends Verb>(verb: V, path: string[], step: object): StepFile | Finding[] {
  const parsed = stepSchemas[verb].safeParse(step)
  if (!parsed.success) return parsed.error.issues.flatMap((issue) => describeIssue(issue, path, step))
  if ('when' in parsed.data) {
    const findings = caseFindings(parsed.data.when, path)
    if (findings.length > 0) return findings
  }
  // The verb is that of the schema which the step has passed; the compiler cannot follow a union of both.
  return { verb, ...parsed.data } as StepFile
}

/** The last case is for everything else, and no other one is. */
function caseFindings(cases: { if?: unknown }[], path: string[]): Finding[] {
  const last = cases.length - 1
  return cases.flatMap((one, index) => {
    if ((one.if === undefined) === (index === last)) return []
    const message =
      index === last
        ? 'the last case has no "if": it says where to go when no other holds'
        : 'only the last case is without "if": what stands after this one is never reached'
    return [{ path: [...path, 'when', index], message }]
  })
}

function stepsOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || !('steps' in value)) return {}
  const { steps } = value
  return typeof steps === 'object' && steps !== null && !Array.isArray(steps)
    ? Object.fromEntries(Object.entries(steps))
    : {}
}
