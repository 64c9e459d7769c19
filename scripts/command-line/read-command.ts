import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

export interface Command {
  /** Options that take a value, with all their values. */
  values(name: string): string[]
  /** Whether an option that takes no value was given. */
  has(name: string): boolean
  positionals: string[]
}

export interface Accepted {
  /** Options that take no value. */
  flags?: readonly string[]
  /** Options that take a value, and may be given more than once. */
  valued?: readonly string[]
  /** How many words that are no option it takes at most; default 0. */
  positionals?: number
}

/**
 * What a person typed after a script's name. `--help` prints the usage and ends the process with 0; anything that the
 * script does not take ends it with 1 and one sentence.
 */
export function readCommand(usage: string, accepted: Accepted = {}, words = process.argv.slice(2)): Command {
  const options: ParseArgsOptionsConfig = { help: { type: 'boolean', short: 'h' } }
  for (const name of accepted.flags ?? []) options[name] = { type: 'boolean' }
  for (const name of accepted.valued ?? []) options[name] = { type: 'string', multiple: true }
  const { tokens } = parseArgs({ args: words, options, strict: false, allowPositionals: true, tokens: true })
  const given = new Map<string, string[]>()
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const known = options[token.name]
    if (known === undefined) refuse(`There is no option ${token.rawName}: --help says what there is.`)
    if (known.type === 'string' && !token.value) refuse(`${token.rawName} takes a value: --help says which.`)
    if (known.type === 'boolean' && token.value !== undefined) refuse(`${token.rawName} takes no value.`)
    given.set(token.name, [...(given.get(token.name) ?? []), token.value ?? ''])
  }
  if (given.has('help')) {
    process.stdout.write(`${usage}\n`)
    process.exit(0)
  }
  const surplus = positionals[accepted.positionals ?? 0]
  if (surplus !== undefined) refuse(`"${surplus}" is a word too many: --help says what this takes.`)
  return { values: (name) => given.get(name) ?? [], has: (name) => given.has(name), positionals }
}

function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}
