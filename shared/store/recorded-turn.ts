import type { FlowState, Json } from '../flow/index.ts'
import type { Approval } from './approvals.ts'
import type { Sql } from './connect.ts'
import { findTurnInContext, type TurnInContext } from './turns.ts'

/** A step as the journal holds it. */
export interface RecordedStep {
  number: number
  agent: string
  name: string
  kind: string
  promptHash: string | null
  request: Json
  answer: Json
  reads: Json
  inputTokens: number
  outputTokens: number
  startedAt: Date
  finishedAt: Date
  flow: FlowState | null
  approval: Approval['state'] | null
  /** SHA-256 (hex); null in a step that was journalled before these were kept, and in a command. */
  stateHash: string | null
  agentVersion: string | null
  agentsVersion: string | null
}

/** An approval of the turn's person, and what became of it until now. */
export interface RecordedApproval extends Approval {
  turn: string
  step: string
  decidedAt: Date | null
  createdAt: Date
}

/** Everything that is kept of a turn: enough to run it again. */
export interface RecordedTurn {
  turn: TurnInContext
  /** The response-ready event as it was stored; null while the turn is open. */
  response: string | null
  finishedAt: Date | null
  /** How often a tick took the turn up again: each began a trace of its own. */
  releases: number
  /** W3C trace context of the employee's request. */
  traceparent: string
  steps: RecordedStep[]
  approvals: RecordedApproval[]
  /** What the conversation's history and the deliveries have as the turn's answer. */
  answers: string[]
  delivered: { target: string; content: string }[]
}

/** Reads a turn with its journal and all that came of it; null where there is none of that id. Writes nothing. */
export async function findRecordedTurn(sql: Sql, id: string): Promise<RecordedTurn | null> {
  const turn = await findTurnInContext(sql, id)
  if (turn === null) return null
  const [end] = await sql<Omit<RecordedTurn, 'turn' | 'steps' | 'approvals' | 'answers' | 'delivered'>[]>`
    select t.response, t.finished_at as "finishedAt", t.releases, r.traceparent
    from turns t join requests r on r.id = t.request where t.id = ${id}`
  if (end === undefined) return null
  const answers = await sql<{ content: string }[]>`
    select content from messages where session = ${turn.session} and turn = ${id} and role = 'agent' order by number`
  return {
    turn,
    ...end,
    steps: await findSteps(sql, id),
    approvals: await findApprovals(sql, turn.session),
    answers: answers.map(({ content }) => content),
    delivered: await sql<{ target: string; content: string }[]>`
      select d.target, d.content from deliveries d join turns t on t.id = d.turn join sessions s on s.id = t.session
      where d.turn = ${id} and (d.person is null or d.person = s.person)
        and (d.person is not null or d.origin is not null or d.thread is null)
      order by d.target`,
  }
}

function findSteps(sql: Sql, turn: string): Promise<RecordedStep[]> {
  return sql<RecordedStep[]>`
    select number, agent, name, kind, prompt_hash as "promptHash", request, answer, reads, input_tokens as "inputTokens",
      output_tokens as "outputTokens", started_at as "startedAt", finished_at as "finishedAt", flow, approval,
      encode(state_hash, 'hex') as "stateHash", encode(agent_version, 'hex') as "agentVersion",
      encode(agents_version, 'hex') as "agentsVersion"
    from steps where turn = ${turn} order by number`
}

/** A flow may name an approval that is older than its session, so these are all of the person's. */
function findApprovals(sql: Sql, session: string): Promise<RecordedApproval[]> {
  return sql<RecordedApproval[]>`
    select a.id, a.state, a.tool, a.arguments, a.arguments_hash as "argumentsHash", a.person, a.expires_at as "expiresAt",
      a.turn, a.step, a.decided_at as "decidedAt", a.created_at as "createdAt"
    from approvals a join sessions o on o.id = a.session join sessions s on s.person = o.person
    where s.id = ${session} order by a.created_at, a.id`
}

/** The finished turns of a session, in the order of its messages. */
export async function findFinishedTurns(sql: Sql, session: string): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from turns where session = ${session} and response is not null order by message, id`
  return rows.map(({ id }) => id)
}
