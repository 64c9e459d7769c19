/** Who asks, as the token proves it. Nothing but a verified token makes one. */
export interface Caller {
  /** The token's `sub`: whom an Idempotency-Key belongs to. */
  subject: string
  /** The verified address in its one spelling; null where the token proves none. */
  email: string | null
  scopes: string[]
  /** A `service` is a program with the scope of that name; only it may use the tool route. */
  kind: 'person' | 'service'
}

/** What a scope lets its holder do; docs and the OpenAPI document list them from here. */
export const scopes = {
  service: 'The caller is a program: it may use the tool route.',
  'requests:act-for-others': "Ask in other people's names.",
  'dead-letters:manage': 'List, show, redrive and discard dead letters.',
  'conversations:read': "List, read and export other people's conversations.",
  'conversations:delete': "Delete other people's conversations.",
  'handoffs:manage': 'List conversations that a person has, and give them back to the agent.',
  'audit:read': 'Read who did what, and on whose behalf.',
  'api-keys:manage': 'Create, list, rotate and revoke the API keys of programs.',
} as const

export type Scope = keyof typeof scopes

export function hasScope(caller: Caller, scope: Scope): boolean {
  return caller.scopes.includes(scope)
}

/** True where the caller may ask in the name of this address (in its one spelling): it is theirs, or they have the scope. */
export function mayActFor(caller: Caller, email: string): boolean {
  return caller.email === email || hasScope(caller, 'requests:act-for-others')
}

const program = 'api-key:'

/** The subject of a program that comes with an API key, by its name; no token can have the same. */
export function subjectOfProgram(name: string): string {
  return `${program}${name}`
}

export function isOfProgram(subject: string): boolean {
  return subject.startsWith(program)
}
