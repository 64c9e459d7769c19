import type { Event } from '../events/event.ts'
import type { FlowState } from '../flow/index.ts'
import type { Sql } from './connect.ts'

export type TurnState = 'open' | 'waiting' | 'answered' | 'failed'

/** A turn with what a step of it needs to know. */
export interface Turn {
  id: string
  session: string
  message: number
  request: string
  agent: string
  state: TurnState
  /** The step that may run next; an event that names another is out of date. */
  step: number
  flow: FlowState | null
  said: string[]
  openedAt: Date
  deadline: Date
  inputTokens: number
  outputTokens: number
}

export interface TurnInContext extends Turn {
  /** The employee's words that the turn answers. */
  content: string
  email: string
  /** Who said these words: the person's verified address, null where a program did; and the token's subject. */
  speaker: string | null
  caller: string
  /** The approval whose button was pressed to say them; null: they were typed. */
  button: string | null
  /** The approval whose decision this turn is about; null: it answers an employee's words. */
  decided: string | null
  tenant: string
  /** The session's current turn: this one, unless the session moved on. */
  current: string | null
  sessionInputTokens: number
  sessionOutputTokens: number
}

interface Row {
  id: string
  session: string
  message: number
  request: string
  agent: string
  state: TurnState
  step: number
  flow: FlowState | null
  said: string[]
  opened_at: Date
  deadline: Date
  input_tokens: number
  output_tokens: number
}

interface ContextRow extends Row {
  content: string
  email: string
  speaker: string | null
  caller: string
  button: string | null
  decided: string | null
  tenant: string
  current: string | null
  session_input_tokens: number
  session_output_tokens: number
}

function fromRow(row: Row): Turn {
  const { opened_at, input_tokens, output_tokens, ...same } = row
  return { ...same, openedAt: opened_at, inputTokens: input_tokens, outputTokens: output_tokens }
}

/** Opens a turn; a second opening of the same turn changes nothing. */
export async function insertTurn(
  sql: Sql,
  turn: {
    id: string
    session: string
    message: number
    request: string
    agent: string
    flow: FlowState | null
    openedAt: Date
    deadline: Date
  },
): Promise<void> {
  await sql`
    insert into turns (id, session, message, request, agent, flow, opened_at, deadline)
    values (${turn.id}, ${turn.session}, ${turn.message}, ${turn.request}, ${turn.agent},
      ${turn.flow === null ? null : sql.json({ ...turn.flow })}, ${turn.openedAt}, ${turn.deadline})
    on conflict (id) do nothing`
}

/** Reads a turn without a lock; the caller compares again under the session's lock before it writes. */
export async function findTurn(sql: Sql, id: string): Promise<Turn | null> {
  const [row] = await sql<Row[]>`
    select id, session, message, request, agent, state, step, flow, said, opened_at, deadline, input_tokens, output_tokens
    from turns where id = ${id}`
  return row ? fromRow(row) : null
}

/** Reads a turn with its session, person and words, without a lock. */
export async function findTurnInContext(sql: Sql, id: string): Promise<TurnInContext | null> {
  const [row] = await sql<ContextRow[]>`
    select t.id, t.session, t.message, t.request, t.agent, t.state, t.step, t.flow, t.said, t.opened_at, t.deadline,
      t.input_tokens, t.output_tokens, m.content, p.email, r.speaker, r.caller, r.button, r.approval as decided, s.tenant, s.turn as current,
      s.input_tokens as session_input_tokens, s.output_tokens as session_output_tokens
    from turns t
      join sessions s on s.id = t.session
      join people p on p.id = s.person
      join messages m on m.session = t.session and m.number = t.message
      join requests r on r.id = t.request
    where t.id = ${id}`
  if (!row) return null
  const {
    content,
    email,
    speaker,
    caller,
    button,
    decided,
    tenant,
    current,
    session_input_tokens,
    session_output_tokens,
    ...turn
  } = row
  return {
    ...fromRow(turn),
    content,
    email,
    speaker,
    caller,
    button,
    decided,
    tenant,
    current,
    sessionInputTokens: session_input_tokens,
    sessionOutputTokens: session_output_tokens,
  }
}

/** Gives a turn to another agent, whose flow then starts on the same words. */
export async function handOver(sql: Sql, turn: string, agent: string): Promise<void> {
  await sql`update turns set agent = ${agent}, flow = null where id = ${turn}`
}

/** Moves an open turn to its next step; false where the turn is no longer at `step`. */
export async function advanceTurn(
  sql: Sql,
  options: {
    turn: string
    step: number
    flow: FlowState
    said: string[]
    inputTokens: number
    outputTokens: number
  },
): Promise<boolean> {
  const rows = await sql`
    update turns set step = step + 1, state = 'open', flow = ${sql.json({ ...options.flow })}, said = ${sql.json(options.said)},
      input_tokens = input_tokens + ${options.inputTokens}, output_tokens = output_tokens + ${options.outputTokens}
    where id = ${options.turn} and step = ${options.step} and state in ('open', 'waiting')
    returning 1`
  return rows.length > 0
}

/** Closes a turn with its response-ready event, as answered or failed; false where it was closed already. */
export async function closeTurn(
  sql: Sql,
  options: { turn: string; state: 'answered' | 'failed'; response: Event; now: Date },
): Promise<boolean> {
  const rows = await sql`
    update turns set state = ${options.state}, response = ${JSON.stringify(options.response)}, finished_at = ${options.now}
    where id = ${options.turn} and state in ('open', 'waiting')
    returning 1`
  return rows.length > 0
}

/** Lets a turn wait for the model, until its deadline or `until` where that is later; a tick takes it up again. */
export async function parkTurn(sql: Sql, turn: string, step: number, until: Date): Promise<boolean> {
  const rows = await sql`
    update turns set state = 'waiting', deadline = greatest(deadline, ${until})
    where id = ${turn} and step = ${step} and state in ('open', 'waiting')
    returning 1`
  return rows.length > 0
}

/** A closed turn's response-ready event; null while the turn is open. */
export async function findResponse(sql: Sql, turn: string): Promise<{ state: TurnState; event: Event } | null> {
  const [row] = await sql<{ state: TurnState; response: string }[]>`
    select state, response from turns where id = ${turn} and response is not null`
  return row ? { state: row.state, event: JSON.parse(row.response) as Event } : null
}

/** Takes a waiting turn up again; null where it does not wait. The caller holds the session's lock. */
export async function releaseTurn(sql: Sql, turn: string): Promise<{ step: number; count: number } | null> {
  const [row] = await sql<{ step: number; count: number }[]>`
    update turns set state = 'open', releases = releases + 1 where id = ${turn} and state = 'waiting'
    returning step, releases as count`
  return row ?? null
}
