import type { Agent } from './agent.ts'
import type { EffectResult } from './effects.ts'
import type { Json } from './json.ts'

/** Where a conversation stands: plain JSON, stored between steps. */
export interface FlowState {
  agent: string
  /** The step that asked, or whose effect is out, or that comes next. */
  at: string
  waiting: 'message' | 'approval' | 'decision' | null
  /** The `ask` or `confirm` step that asked last, and what it asked, rendered. */
  asked: string | null
  asking: string | null
  /** Id of the approval that is open, or granted and not yet used. */
  approval: string | null
  slots: Record<string, Json>
  variables: Record<string, Json>
}

export type Input =
  | { kind: 'message'; text: string }
  /** Somebody else decided on what this flow waits for; the approval says how. */
  | { kind: 'decision' }
  /** The same effect again: after a crash, or in a later delivery. */
  | { kind: 'continue' }
  | { kind: 'result'; result: EffectResult }

/** What the world adds to a step: all that would make the engine impure is handed in here. */
export interface Scope {
  person: { email: string }
  /** Verified address of the one whose words these are; null where a program says them. */
  speaker: string | null
  now: Date
  /** The employee's words of this turn. */
  message: string
  /** The approval whose button was pressed to say it; null where the words were typed. */
  button: string | null
  /** A unique id, the same for the same purpose in the same delivery, however often it is asked for. */
  newId: (purpose: string) => string
  /** The approval that `FlowState.approval` names, as the store has it. */
  approval: {
    id: string
    state: 'open' | 'granted' | 'declined' | 'expired' | 'used'
    expiresAt: Date
  } | null
}

/** The state of a conversation that comes to this agent: at its first step, with nothing known. */
export function startFlow(agent: Agent): FlowState {
  return {
    agent: agent.name,
    at: agent.start,
    waiting: null,
    asked: null,
    asking: null,
    approval: null,
    slots: Object.fromEntries(Object.keys(agent.slots).map((name) => [name, null])),
    variables: { ...agent.variables },
  }
}
