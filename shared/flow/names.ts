import type { Agent } from './agent.ts'

/** Names that every expression and template may use, and that no slot, variable or saved value may take. */
export const builtInNames = ['person', 'message', 'today', 'failure', 'agents'] as const

/** What CEL does not take as a name. */
export const reservedWords: ReadonlySet<string> = new Set([
  ...[
    'true',
    'false',
    'null',
    'in',
    'as',
    'break',
    'const',
    'continue',
    'else',
    'for',
    'function',
    'if',
    'import',
    'let',
  ],
  ...['loop', 'package', 'namespace', 'return', 'var', 'void', 'while'],
  // Names of CEL's own, and of Liquid's loops and constants.
  ...[
    'dyn',
    'type',
    'bool',
    'size',
    'bytes',
    'double',
    'int',
    'uint',
    'string',
    'timestamp',
    'duration',
    'has',
    'list',
  ],
  ...['map', 'cel', 'optional', 'google', 'forloop', 'tablerowloop', 'nil', 'empty', 'blank', 'and', 'or', 'not'],
  ...['contains'],
])

/** Everything that steps of the agent save or set. */
function savedNames(agent: Agent): Set<string> {
  const names = new Set<string>()
  for (const step of Object.values(agent.steps)) {
    if ('save' in step && step.save !== null) names.add(step.save)
    if (step.verb === 'set') for (const name of Object.keys(step.set)) names.add(name)
  }
  return names
}

/** Every name that an expression or a template of this agent may use. */
export function namesInScope(agent: Agent): Set<string> {
  return new Set([...builtInNames, ...Object.keys(agent.slots), ...Object.keys(agent.variables), ...savedNames(agent)])
}
