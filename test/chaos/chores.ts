import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Employee } from '../../local/servicenow/employees.ts'
import { sysIdOfEmployee } from '../../local/servicenow/records.ts'
import { atRest } from './at-rest.ts'
import { checkTurns, type Problem } from './check-case.ts'
import { say, type Talk } from './employee.ts'
import type { Stand } from './stand.ts'
import type { createTrouble } from './trouble.ts'

/** Another try where the model, asked again on a busy machine, has heard something else. */
const seats = [40, 50, 60]

/**
 * What is over or waits without a conversation: an employee's request that a manager decides, and beside it a turn past
 * its deadline, one that waits for the model, a decision that nobody made, a session whose time is over, and old rows.
 */
export function createChores(
  stand: Stand,
  employee: Employee,
  options: { id: string; talk: Talk; trouble: ReturnType<typeof createTrouble>; patienceMs: number },
) {
  const { id, talk, trouble, patienceMs } = options
  const { database } = stand
  const others = { late: other(), waiting: other(), undecided: other(), expired: other() }
  const old = `old ${randomUUID()}`
  let approval = ''

  function other() {
    return { email: `${randomUUID()}@company.com`, approval: randomUUID() }
  }

  const ask = async (): Promise<void> => {
    const door = { url: stand.door.url, token: await stand.door.tokenOf(employee.email) }
    for (const number of seats) {
      const words = [
        ...['reset', `I need ${number} seats of Figma on CC-1234`, 'we design the new web shop'],
        ...[employee.manager ?? '', 'yes'],
      ]
      for (const text of words) {
        talk.said.push(await say(door, `${id} ${employee.email} ${talk.said.length}`, text, patienceMs))
        await atRest(stand, 10_000)
      }
      const [asked] = await database<{ id: string }[]>`
        select id from approvals where person = ${employee.manager ?? ''} and state = 'open' and continuation is not null
        order by created_at desc limit 1`
      if (asked !== undefined) {
        approval = asked.id
        return
      }
    }
    throw new Error(`nobody was asked; the last answer: ${talk.said.at(-1)?.answer}`)
  }

  /** Rows as a conversation leaves them, of somebody else and another time. */
  const arrange = async (): Promise<void> => {
    for (const [kind, { email, approval: own }] of Object.entries(others)) {
      const [session, request, turn] = [randomUUID(), randomUUID(), randomUUID()]
      const open = kind === 'late' || kind === 'waiting'
      await database.begin(async (sql) => {
        await sql`
          with person as (insert into people (email) values (${email}) returning id),
            identity as (insert into identities (identity, person) select ${`email:${email}`}, id from person)
          insert into sessions (id, person, turn, last_message, expires_at)
          select ${session}, id, ${open ? turn : null}::uuid, 1,
            now() + ${kind === 'expired' ? -1 : 14}::int * interval '1 day' from person`
        await sql`
          insert into requests (id, caller, identity, channel, body_hash, content, event, target, traceparent, session,
            message, state)
          select ${request}, ${email}, ${`email:${email}`}, channel, '', 'good day to you', event, target, traceparent,
            ${session}, ${open ? 1 : null}::int, ${open ? 'queued' : 'answered'}
          from requests where approval is null and identity = ${`email:${employee.email}`} limit 1`
        if (open) {
          await sql`
            insert into messages (session, number, role, content, request, turn, state, created_at)
            values (${session}, 1, 'employee', 'good day to you', ${request}, ${turn}, 'taken', now())`
          await sql`
            insert into turns (id, session, message, request, agent, state, opened_at, deadline)
            values (${turn}, ${session}, 1, ${request}, 'router', ${kind === 'late' ? 'open' : 'waiting'}, now(),
              now() + ${kind === 'late' ? -1 : 15}::int * interval '1 minute')`
          return
        }
        await sql`
          insert into approvals (id, session, turn, step, tool, arguments, arguments_hash, person, expires_at, created_at,
            question, request, agent, continuation)
          select ${own}, ${session}, ${turn}, step, tool, arguments, arguments_hash, person, now() - interval '1 minute',
            now(), question, ${request}, ${kind === 'expired' ? null : sql`agent`},
            ${kind === 'expired' ? null : sql`replace(continuation::text, ${approval}, ${own})::jsonb`}
          from approvals where id = ${approval}`
      })
    }
    await database`
      insert into inbox (consumer, source, event, state, finished_at)
      select ${old}, '/old', n::text, 'finished', now() - interval '100 days' from generate_series(1, 60) n`
  }

  /** As the manager presses it, and again where nothing comes of it. */
  const decide = async (): Promise<void> => {
    const until = performance.now() + patienceMs
    const headers = {
      authorization: `Bearer ${await stand.door.tokenOf(employee.manager ?? '')}`,
      'content-type': 'application/json',
      'idempotency-key': `"${id} decision"`,
    }
    let why = 'nothing'
    while (performance.now() < until) {
      const response = await fetch(`${stand.door.url}/api/v1/approvals/${approval}`, {
        ...{ method: 'POST', headers, body: '{"decision":"approve"}', signal: AbortSignal.timeout(6_000) },
      }).catch(() => null)
      const text = await response?.text().catch(() => '')
      if (response?.ok) return
      if (response !== null) why = `${response.status} ${text}`
      await pause(50)
    }
    throw new Error(`the decision was not taken: ${why}`)
  }

  return {
    async run(): Promise<void> {
      await ask()
      await arrange()
      await trouble.tick('repair')
      await trouble.settle(patienceMs)
      await decide()
      await trouble.settle(patienceMs)
      await trouble.tick('keep-house')
    },

    async check(): Promise<Problem[]> {
      const problems: Problem[] = []
      for (const email of [employee.email, others.late.email, others.waiting.email, others.undecided.email]) {
        problems.push(...(await checkTurns(stand, email)))
      }
      const [row] = await database<Record<string, unknown>[]>`
        select
          (select string_agg(state, ',') from requests where identity = ${`email:${others.late.email}`}) as late,
          (select string_agg(state, ',') from requests where identity = ${`email:${others.waiting.email}`}) as waiting,
          (select state from approvals where id = ${others.undecided.approval}) as undecided,
          (select string_agg(state, ',') from requests where approval = ${others.undecided.approval}) as told,
          (select s.state || ',' || a.state from approvals a join sessions s on s.id = a.session
            where a.id = ${others.expired.approval}) as expired,
          (select state from approvals where id = ${approval}) as decided,
          (select string_agg(state, ',') from requests where approval = ${approval}) as decision,
          (select count(*)::int from inbox where consumer = ${old}) as old`
      const wanted = {
        ...{ late: 'failed', waiting: 'answered', undecided: 'expired', told: 'answered', expired: 'closed,expired' },
        ...{ decided: 'used', decision: 'answered', old: 0 },
      }
      for (const [what, value] of Object.entries(wanted)) {
        if (row?.[what] !== value) problems.push({ kind: 'wrong', what: `${what}: ${row?.[what]} instead of ${value}` })
      }
      const tickets = stand.mock.tickets().filter((ticket) => ticket.requested_for === sysIdOfEmployee(employee))
      if (tickets.length > 1) problems.push({ kind: 'duplicate', what: `${tickets.length} tickets were opened` })
      if (tickets.length < 1) problems.push({ kind: 'loss', what: 'there is no ticket' })
      return problems
    },
  }
}
