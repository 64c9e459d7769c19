import type { Agent, Label, Target } from './agent.ts'

/** A way from one step to another: under which answer, and where in the file it is written. */
export interface Edge {
  to: Target
  /** Empty for the ordinary way on. */
  when: string
  path: (string | number)[]
}

/** What a way is called that any agent's name leads on. */
export const nameOfAgent = 'name of an agent'

/** Every way out of the step, in the order of the file. Hand-offs leave the agent and are no edges. */
export function edgesOf(agent: Agent, name: string): Edge[] {
  const step = agent.steps[name]
  if (step === undefined) return []
  const edge = (to: Target, key: string, when = key): Edge => ({ to, when, path: ['steps', name, key] })
  switch (step.verb) {
    case 'say':
    case 'ask':
    case 'set':
      return [edge(step.next, 'next', '')]
    case 'decide':
      return [
        ...labelEdges(step.labels, ['steps', name, 'labels']),
        ...(step.anytime ? labelEdges(agent.anytime, ['anytime']) : []),
        ...(step.next === null ? [] : [edge(step.next, 'next', nameOfAgent)]),
        edge(step.unsure, 'unsure'),
      ]
    case 'extract':
      return [
        ...Object.entries(step.missing).map(([slot, to]) => ({
          to,
          when: `no ${slot}`,
          path: ['steps', name, 'missing', slot],
        })),
        ...(step.none === null ? [] : [edge(step.none, 'none')]),
        edge(step.next, 'next', ''),
      ]
    case 'compose':
      return [edge(step.unanswered, 'unanswered'), edge(step.next, 'next', '')]
    case 'call':
      return [edge(step.failure, 'failure'), edge(step.next, 'next', '')]
    case 'lookup':
    case 'search':
      return [edge(step.none, 'none'), edge(step.next, 'next', '')]
    case 'confirm':
      return [
        edge(step.yes, 'yes'),
        edge(step.no, 'no'),
        edge(step.otherwise, 'otherwise'),
        ...(step.expired === null ? [] : [edge(step.expired, 'expired')]),
      ]
    case 'approve':
      return [edge(step.yes, 'yes'), edge(step.no, 'no'), edge(step.expired, 'expired'), edge(step.nobody, 'nobody')]
    case 'when':
      return [
        ...step.cases.map((one, index) => ({
          to: one.next,
          when: one.if,
          path: ['steps', name, 'when', index, 'next'],
        })),
        { to: step.otherwise, when: 'else', path: ['steps', name, 'when', step.cases.length, 'next'] },
      ]
    case 'handoff':
    case 'end':
      return []
  }
}

function labelEdges(labels: Label[], path: string[]): Edge[] {
  return labels.map((label) => ({ to: label.next, when: label.name, path: [...path, label.name, 'next'] }))
}
