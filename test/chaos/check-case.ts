import type { Employee } from '../../local/servicenow/employees.ts'
import { sysIdOfEmployee } from '../../local/servicenow/records.ts'
import type { Talk } from './employee.ts'
import type { Stand } from './stand.ts'

/** What is not as it should be. `duplicate`: something happened twice; `loss`: not at all; `stuck`: it never ended. */
export interface Problem {
  kind: 'duplicate' | 'loss' | 'stuck' | 'wrong'
  what: string
}

/** What a scenario itself brings about. */
export interface Expected {
  deadLetters: number
  failed: number
}

interface RequestRow {
  id: string
  key: string
  content: string
  state: string
  answer: string | null
}

interface TurnRow {
  id: string
  request: string
  message: number
  state: string
  step: number
  opened: number
  finished: number
  answers: number
  deliveries: number
  steps: number
}

/** Holds what Postgres and ServiceNow have of an employee against what was said and approved. */
export async function checkCase(
  stand: Stand,
  employee: Employee,
  talk: Talk,
  expected: Expected,
  knownDeadLetters: readonly string[],
): Promise<Problem[]> {
  return [
    ...checkTickets(stand, employee, talk),
    ...(await checkRequests(stand, employee, talk, expected)),
    ...(await checkTurns(stand, employee.email)),
    ...(await checkHistory(stand, employee, talk)),
    ...(await checkWrites(stand, employee)),
    ...(await checkDeadLetters(stand, knownDeadLetters, expected)),
  ]
}

function checkTickets(stand: Stand, employee: Employee, talk: Talk): Problem[] {
  const tickets = stand.mock.tickets().filter((ticket) => ticket.requested_for === sysIdOfEmployee(employee))
  const [ticket] = tickets
  if (ticket === undefined) return [{ kind: 'loss', what: 'there is no ticket' }]
  if (tickets.length > 1) return [{ kind: 'duplicate', what: `${tickets.length} tickets were opened` }]
  const problems: Problem[] = []
  const code = codeOf(talk.approved ?? '', talk)
  const chosen = ticket.variables['laptop_choices']
  if (chosen !== code) problems.push({ kind: 'wrong', what: `the yes was for ${code}, the ticket is for ${chosen}` })
  const answer = talk.said.at(-1)?.answer ?? ''
  if (!answer.includes(ticket.number))
    problems.push({ kind: 'wrong', what: `the answer is not about ${ticket.number}: ${answer}` })
  return problems
}

/** The code of a laptop as a question of this conversation named it. */
function codeOf(laptop: string, talk: Talk): string | undefined {
  for (const { answer } of talk.said) {
    for (const [, name, code] of answer.matchAll(/You picked the \*\*([^*]+)\*\* \([^)]*code (\w+)\)/g)) {
      if (name === laptop) return code
    }
  }
  return undefined
}

async function checkRequests(stand: Stand, employee: Employee, talk: Talk, expected: Expected): Promise<Problem[]> {
  const rows = await stand.database<RequestRow[]>`
    select id, idempotency_key as key, content, state, response ->> 'content' as answer
    from requests where identity = ${`email:${employee.email}`} order by accepted`
  const problems: Problem[] = []
  if (rows.length > talk.said.length)
    problems.push({ kind: 'duplicate', what: `${rows.length} requests of ${talk.said.length} messages` })
  if (rows.length < talk.said.length)
    problems.push({ kind: 'loss', what: `${rows.length} requests of ${talk.said.length} messages` })
  for (const [index, said] of talk.said.entries()) {
    const row = rows[index]
    if (row === undefined) continue
    if (row.content !== said.words)
      problems.push({ kind: 'wrong', what: `message ${index + 1} is "${row.content}", said was "${said.words}"` })
    else if (row.answer !== said.answer)
      problems.push({ kind: 'wrong', what: `"${said.words}" was answered "${said.answer}" and keeps "${row.answer}"` })
  }
  const failed = rows.filter(({ state }) => state === 'failed').length
  if (failed !== expected.failed)
    problems.push({ kind: 'loss', what: `${failed} messages failed, ${expected.failed} should have` })
  return problems
}

/** Whether every message of this person that was queued has one turn, and every turn one answer that was delivered. */
export async function checkTurns(stand: Stand, email: string): Promise<Problem[]> {
  const turns = await stand.database<TurnRow[]>`
    select t.id, t.request, t.message, t.state, t.step,
      extract(epoch from t.opened_at)::float8 * 1000 as opened, extract(epoch from t.finished_at)::float8 * 1000 as finished,
      (select count(*)::int from messages m where m.turn = t.id and m.role = 'agent') as answers,
      (select count(*)::int from deliveries d where d.turn = t.id and d.state = 'delivered') as deliveries,
      (select count(*)::int from steps j where j.turn = t.id) as steps
    from turns t join sessions s on s.id = t.session join people p on p.id = s.person
    where p.email = ${email} order by t.session, t.message`
  const queued = await stand.database<{ id: string; failed: boolean }[]>`
    select id, state = 'failed' as failed from requests
    where identity = ${`email:${email}`} and message is not null`
  const problems: Problem[] = []
  for (const { id } of queued) {
    const own = turns.filter(({ request }) => request === id)
    if (own.length === 0) problems.push({ kind: 'loss', what: `request ${id} has no turn` })
    if (own.length > 1) problems.push({ kind: 'duplicate', what: `request ${id} has ${own.length} turns` })
  }
  let before = 0
  for (const [index, turn] of turns.entries()) {
    const name = `turn ${index + 1}`
    for (const [what, count] of [
      ['answers', turn.answers],
      ['deliveries', turn.deliveries],
    ] as const) {
      if (count > 1) problems.push({ kind: 'duplicate', what: `${name} has ${count} ${what}` })
      if (count < 1) problems.push({ kind: 'loss', what: `${name} has no ${what}` })
    }
    if (turn.state !== 'answered' && turn.state !== 'failed')
      problems.push({ kind: 'stuck', what: `${name} is ${turn.state}` })
    if (turn.opened < before) problems.push({ kind: 'wrong', what: `${name} began before the one before had ended` })
    // A tick that was let pass made the row older than the turn is.
    before = Math.max(before, turn.finished)
    // A command takes no step, and is in the journal all the same.
    if (turn.state === 'answered' && turn.steps !== Math.max(turn.step, 1)) {
      problems.push({
        kind: turn.steps > turn.step ? 'duplicate' : 'loss',
        what: `${name} is at step ${turn.step} and has ${turn.steps} in its journal`,
      })
    }
  }
  return problems
}

async function checkHistory(stand: Stand, employee: Employee, talk: Talk): Promise<Problem[]> {
  const messages = await stand.database<{ role: string; content: string; turn: string }[]>`
    select m.role, m.content, m.turn from messages m join sessions s on s.id = m.session join people p on p.id = s.person
    where p.email = ${employee.email} order by s.created_at, m.number`
  const problems: Problem[] = []
  const asked = messages.filter(({ role }) => role === 'employee')
  const words = talk.said.map((said) => said.words)
  // What was given up before it was queued is in no history.
  let at = -1
  for (const { content } of asked) {
    const found = words.indexOf(content, at + 1)
    if (found < 0) problems.push({ kind: 'wrong', what: `"${content}" is out of order in the history` })
    else at = found
  }
  const order = asked.map(({ turn }) => turn)
  const answered = messages.filter(({ role }) => role === 'agent').map(({ turn }) => turn)
  if (JSON.stringify(order) !== JSON.stringify(answered)) {
    problems.push({ kind: 'wrong', what: 'the answers are in another order than the messages' })
  }
  return problems
}

async function checkWrites(stand: Stand, employee: Employee): Promise<Problem[]> {
  const calls = await stand.database<{ state: string; approval: string; write: string | null }[]>`
    select c.state, a.state as approval, w.state as write
    from tool_calls c join approvals a on a.id = c.approval left join writes w on w.key = a.id
      join sessions s on s.id = a.session join people p on p.id = s.person
    where p.email = ${employee.email}`
  const problems: Problem[] = []
  const done = calls.filter(({ state }) => state === 'done')
  if (done.length > 1) problems.push({ kind: 'duplicate', what: `${done.length} writes are done` })
  if (done.length < 1) problems.push({ kind: 'loss', what: 'no write is done' })
  for (const { state, approval, write } of calls) {
    if (state === 'started') problems.push({ kind: 'stuck', what: 'a write never ended' })
    if (approval !== 'used') problems.push({ kind: 'wrong', what: `a write ran on an approval that is ${approval}` })
    if ((state === 'done') !== (write === 'done'))
      problems.push({ kind: 'wrong', what: `a write is ${state}, and ${write} at the tool` })
  }
  const [open] = await stand.database<{ count: number }[]>`
    select count(*)::int as count from approvals a join sessions s on s.id = a.session join people p on p.id = s.person
    where p.email = ${employee.email} and a.state in ('open', 'granted')`
  if ((open?.count ?? 0) > 0) problems.push({ kind: 'wrong', what: 'an approval outlived the conversation' })
  return problems
}

export async function checkDeadLetters(stand: Stand, known: readonly string[], expected: Expected): Promise<Problem[]> {
  const letters = await stand.database<{ type: string; data: string | null }[]>`
    select event_type as type, error_data as data from dead_letters
    where not id = any(${`{${known.join(',')}}`}::text::uuid[])`
  if (letters.length === expected.deadLetters) return []
  const what = letters.map(({ type, data }) => `${type} ${data}`).join('; ')
  return [{ kind: 'loss', what: `${letters.length} dead letters instead of ${expected.deadLetters}: ${what}` }]
}

/** The dead letters that were there before a case began. */
export async function readDeadLetters(stand: Stand): Promise<string[]> {
  const rows = await stand.database<{ id: string }[]>`select id from dead_letters`
  return rows.map(({ id }) => id)
}

/** Whether a write of this employee was given up, so that the conversation had to wait until nothing could begin. */
export async function wasInDoubt(stand: Stand, employee: Employee): Promise<boolean> {
  const rows = await stand.database`select from writes where person = ${employee.email} and state <> 'done'`
  return rows.length > 0
}

/** What a redelivery must not change. */
export async function readDigest(stand: Stand, employee: Employee): Promise<string> {
  const [row] = await stand.database<{ digest: string }[]>`
    select concat_ws(' ',
      (select string_agg(state, ',' order by accepted) from requests where identity = ${`email:${employee.email}`}),
      (select count(*) || ' messages' from messages),
      (select count(*) || ' turns of ' || sum(step) || ' steps' from turns),
      (select count(*) || ' journal rows' from steps),
      (select count(*) || ' deliveries' from deliveries),
      (select string_agg(state, ',' order by started_at) from tool_calls),
      (select string_agg(state, ',' order by claimed_at) from writes),
      (select count(*) || ' approvals' from approvals),
      (select count(*) || ' dead letters' from dead_letters)) as digest`
  return `${row?.digest} ${stand.mock.tickets().length} tickets`
}
