export type Command = 'reset' | 'tokens' | 'quit'

const commands: ReadonlyMap<string, Command> = new Map([
  ['reset', 'reset'],
  ['clear', 'reset'],
  ['restart', 'reset'],
  ['new session', 'reset'],
  ['**tokens**', 'tokens'],
  ['tokens', 'tokens'],
  ['token stats', 'tokens'],
  ['usage stats', 'tokens'],
  ['quit', 'quit'],
  ['exit', 'quit'],
  ['q', 'quit'],
])

/** The command that the whole message is, in any letter case, or null: read before any flow sees the message. */
export function readCommand(text: string): Command | null {
  return commands.get(text.trim().toLowerCase().replace(/\s+/g, ' ')) ?? null
}

/** Tokens of a session; `max…` are those of its largest single model call. */
export interface TokenUsage {
  input: number
  output: number
  calls: number
  maxInput: number
  maxOutput: number
  maxTotal: number
}

/** The answer to the `tokens` command, in the predecessor's form, which its evaluations parse. */
export function tokenSummary(usage: TokenUsage): string {
  const total = usage.input + usage.output
  return (
    `TOKEN_SUMMARY:INPUT:${usage.input}:OUTPUT:${usage.output}:TOTAL:${total}:CALLS:${usage.calls}` +
    `:MAX_SINGLE_INPUT:${usage.maxInput}:MAX_SINGLE_OUTPUT:${usage.maxOutput}:MAX_SINGLE_TOTAL:${usage.maxTotal}`
  )
}
