import type { ServiceNowMock } from '../local/servicenow/start.ts'
import type { FlowState, Json } from '../shared/flow/index.ts'
import type { Database } from '../shared/store/connect.ts'
import type { Pipeline } from '../test/pipeline.ts'

/** What one message led to: what the employee saw, and what stands in Postgres afterwards. */
export interface Observed {
  /** Who answered, as the employee is told. */
  answeredBy: string
  answer: string
  /** Every agent that took a step for this message, in order. */
  agents: string[]
  /** Tools that were called for this message, in order. */
  tools: string[]
  /** Where the conversation stands now; null: nothing is going on. */
  flow: FlowState | null
  /** The session's approvals that still wait for a yes. */
  openApprovals: { step: string; arguments: Record<string, Json> }[]
  /** Tickets that this message opened in ServiceNow. */
  tickets: number
  modelCalls: number
  inputTokens: number
  outputTokens: number
  /** Milliseconds from the message to its answer. */
  milliseconds: number
}

interface StepRow {
  agent: string
  kind: string
  tool: string | null
  asked_model: boolean
  input_tokens: number
  output_tokens: number
}

/**
 * Says one message and looks at what came of it.
 * @throws Error where the message got no answer of the flow's: the turn failed, or waits for a model that is away
 */
export async function observe(
  system: { pipeline: Pipeline; mock: ServiceNowMock; database: Database },
  email: string,
  message: string,
): Promise<Observed> {
  const { pipeline, mock, database } = system
  const ticketsBefore = mock.tickets().length
  const started = performance.now()
  const { id, state, session, response } = await pipeline.say(email, message)
  const milliseconds = performance.now() - started
  if (state !== 'answered' || response === null || session === null) throw new Error(await whyUnanswered(database, id))
  const [row] = await database<{ flow: FlowState | null }[]>`select flow from sessions where id = ${session}`
  const steps = await database<StepRow[]>`
    select steps.agent, kind, steps.request ->> 'tool' as tool, prompt_hash is not null as asked_model,
      steps.input_tokens, steps.output_tokens
    from steps join turns on turns.id = steps.turn where turns.request = ${id} order by steps.number`
  const openApprovals = await database<Observed['openApprovals']>`
    select step, arguments from approvals where session = ${session} and state = 'open'`
  return {
    answeredBy: response.agent_id ?? '',
    answer: response.content,
    agents: steps.map(({ agent }) => agent),
    tools: steps.flatMap(({ kind, tool }) => (kind === 'call' && tool !== null ? [tool] : [])),
    flow: row?.flow ?? null,
    openApprovals: [...openApprovals],
    tickets: mock.tickets().length - ticketsBefore,
    modelCalls: steps.filter((step) => step.asked_model).length,
    inputTokens: sum(steps.map((step) => step.input_tokens)),
    outputTokens: sum(steps.map((step) => step.output_tokens)),
    milliseconds,
  }
}

async function whyUnanswered(database: Database, request: string): Promise<string> {
  const [letter] = await database<{ error_data: string | null }[]>`
    select error_data from dead_letters join turns on turns.id = dead_letters.turn where turns.request = ${request}
    order by received_at desc limit 1`
  const [turn] = await database<{ state: string }[]>`select state from turns where request = ${request}`
  if (letter?.error_data) return `the message was given up: ${letter.error_data}`
  if (turn?.state === 'waiting') return 'the model stayed away'
  return `the message has no answer; its turn is ${turn?.state ?? 'not there'}`
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
