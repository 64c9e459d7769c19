import type { Agents, Json } from '../../shared/flow/index.ts'
import type { Model } from '../../shared/model/model.ts'
import type { Database } from '../../shared/store/connect.ts'

/** What a step is made with; a test brings its own clock, model and tools. */
export interface AgentParts {
  database: Database
  agents: Agents
  model: Model
  callTool: ToolCaller
  now: () => Date
  limits: Limits
}

export interface Limits {
  /** Steps of one turn; past it the turn goes to a person. */
  stepsPerTurn: number
  /** Prompt and completion tokens of one turn. */
  tokensPerTurn: number
  /** Prompt and completion tokens of one session. */
  tokensPerSession: number
  /** Milliseconds from recording a write until the tool may no longer start it. */
  writeWindowMs: number
}

export interface ToolCall {
  /** `server.tool`, as agent files name it. */
  tool: string
  arguments: Record<string, Json>
  /** The employee the call is made for; travels in the signed token, never in the arguments. */
  person: string
  timeoutMs: number
  /** Present on a write: the approval it uses, and the moment after which it must not begin. */
  approval: { id: string; argumentsHash: string; notAfter: Date } | null
}

export type ToolOutcome = { ok: true; value: Json } | { ok: false; code: string; message: string }

/** Calls a tool on behalf of a person. Throws the `tool.*` faults; a definite refusal comes back as `ok: false`. */
export type ToolCaller = (call: ToolCall, signal: AbortSignal) => Promise<ToolOutcome>
