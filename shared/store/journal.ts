import type { FlowState } from '../flow/index.ts'
import type { Approval } from './approvals.ts'
import type { Sql } from './connect.ts'

/** What one step asked, what it was told, and what that cost. */
export interface JournalEntry {
  turn: string
  number: number
  agent: string
  /** The flow's step that made the call; the last one reached where a step made none. */
  name: string
  kind: 'decide' | 'extract' | 'compose' | 'call' | 'flow' | 'command'
  promptHash: string | null
  request: unknown
  answer: unknown
  /** Records and passages the step looked up, in order: replay answers from them. */
  reads: unknown[]
  inputTokens: number
  outputTokens: number
  /** Also the moment by which the flow reckoned. */
  startedAt: Date
  finishedAt: Date
  /** What running the step again takes beside that; null for a command, which runs no flow. */
  place: StepPlace | null
}

/** Where a step began and ended: enough to run it again and to see that it comes out the same. */
export interface StepPlace {
  /** Where the turn's first step found the flow; null: at its start. Null too of later steps, where it follows. */
  flow: FlowState | null
  /** The state in which the step found the approval that the flow named; null: none. */
  approval: Approval['state'] | null
  /** SHA-256 (hex) of the flow's state after the step, as canonical JSON. */
  stateHash: string
  /** SHA-256 (hex) of the agent's file, and over the versions of all agents. */
  agentVersion: string
  agentsVersion: string
}

/** Writes a step's entry; it commits with the state that came of it. */
export async function writeJournal(sql: Sql, entry: JournalEntry): Promise<void> {
  const { place } = entry
  await sql`
    insert into steps (turn, number, agent, name, kind, prompt_hash, request, answer, reads, input_tokens, output_tokens,
      started_at, finished_at, flow, approval, state_hash, agent_version, agents_version)
    values (${entry.turn}, ${entry.number}, ${entry.agent}, ${entry.name}, ${entry.kind}, ${entry.promptHash},
      ${json(entry.request)}::text::jsonb, ${json(entry.answer)}::text::jsonb, ${json(entry.reads)}::text::jsonb, ${entry.inputTokens},
      ${entry.outputTokens}, ${entry.startedAt}, ${entry.finishedAt}, ${json(place?.flow)}::text::jsonb, ${place?.approval ?? null},
      decode(${place?.stateHash ?? null}, 'hex'), decode(${place?.agentVersion ?? null}, 'hex'),
      decode(${place?.agentsVersion ?? null}, 'hex'))`
}

/** Adds a step's model use to its session's totals, as the token statistics show them. */
export async function addUsage(sql: Sql, session: string, inputTokens: number, outputTokens: number): Promise<void> {
  await sql`
    update sessions set input_tokens = input_tokens + ${inputTokens}, output_tokens = output_tokens + ${outputTokens},
      model_calls = model_calls + 1,
      max_input_tokens = greatest(max_input_tokens, ${inputTokens}),
      max_output_tokens = greatest(max_output_tokens, ${outputTokens}),
      max_total_tokens = greatest(max_total_tokens, ${inputTokens + outputTokens})
    where id = ${session}`
}

export interface SessionUsage {
  input: number
  output: number
  calls: number
  maxInput: number
  maxOutput: number
  maxTotal: number
}

/** What a session's model calls cost so far, in tokens. */
export async function readUsage(sql: Sql, session: string): Promise<SessionUsage> {
  const [row] = await sql<SessionUsage[]>`
    select input_tokens as input, output_tokens as output, model_calls as calls, max_input_tokens as "maxInput",
      max_output_tokens as "maxOutput", max_total_tokens as "maxTotal"
    from sessions where id = ${session}`
  return row ?? { input: 0, output: 0, calls: 0, maxInput: 0, maxOutput: 0, maxTotal: 0 }
}

function json(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value)
}
