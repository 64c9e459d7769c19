import * as z from 'zod/mini'
import type { Json } from '../flow/index.ts'
import { noteAudit } from './audit.ts'
import type { Sql } from './connect.ts'

/** A write as the ledger holds it: recorded before the call, with the arguments that were approved. */
export interface LedgerEntry {
  tool: string
  arguments: Record<string, Json>
  argumentsHash: string
  approval: string
  notAfter: Date
}

/**
 * Milliseconds after a write's not-after in which it may well take effect yet: what a tool server gives a POST unless it
 * is told otherwise, and 5 seconds for the clocks. One that is given longer loses nothing: unknown is what is said.
 */
export const settleMs = 15_000

/**
 * Uses a granted approval for one call and records the call, or returns what was recorded by an earlier attempt. Null:
 * the approval was never granted. The arguments are the approval's, whatever the flow would compute now (law 4). A turn
 * that repeats the call of an earlier, failed one only learns how that ended: its not-after has passed, so that nothing
 * begins any more.
 */
export async function recordWrite(
  sql: Sql,
  call: { turn: string; step: number; session: string; tool: string; approval: string; notAfter: Date; now: Date },
): Promise<LedgerEntry | null> {
  await sql`
    with used as (
      update approvals set state = 'used'
      where id = ${call.approval} and tool = ${call.tool} and state = 'granted'
        and session in (select o.id from sessions o join sessions s on s.person = o.person where s.id = ${call.session})
      returning id, tool, arguments
    )
    insert into tool_calls (turn, step, tool, arguments, approval, not_after, started_at)
    select ${call.turn}, ${call.step}, tool, arguments, id, ${call.notAfter}, ${call.now} from used`
  const [row] = await sql<
    { tool: string; arguments: Record<string, Json>; hash: string; approval: string; not_after: Date }[]
  >`
    select c.tool, c.arguments, a.arguments_hash as hash, c.approval,
      case when c.turn = ${call.turn} then c.not_after else least(c.not_after, c.started_at) end as not_after
    from tool_calls c join approvals a on a.id = c.approval
    where c.approval = ${call.approval} and c.tool = ${call.tool} and a.session in (
      select o.id from sessions o join sessions s on s.person = o.person where s.id = ${call.session})`
  if (!row) return null
  return {
    tool: row.tool,
    arguments: row.arguments,
    argumentsHash: row.hash,
    approval: row.approval,
    notAfter: row.not_after,
  }
}

/** Stores how a recorded call ended; `parked` means that a person must find out. */
export async function finishWrite(
  sql: Sql,
  options: { approval: string; state: 'done' | 'failed' | 'parked'; outcome: unknown; now: Date },
): Promise<void> {
  const [before] = await sql<{ state: string; tool: string; actor: string; person: string }[]>`
    select c.state, c.tool, coalesce(a.decided_by, a.person) as actor, p.email as person
    from tool_calls c join approvals a on a.id = c.approval join sessions s on s.id = a.session join people p on p.id = s.person
    where c.approval = ${options.approval} for update of c`
  if (before !== undefined && before.state !== 'done' && options.state === 'done') {
    const { actor, person, tool } = before
    await noteAudit(
      sql,
      {
        ...{ actor, onBehalfOf: actor === person ? null : person, action: 'ticket.filed', subject: options.approval },
        detail: { tool, ...ticketIn(options.outcome) },
      },
      options.now,
    )
  }
  await sql`
    update tool_calls set state = ${options.state}, outcome = ${JSON.stringify(options.outcome)}::text::jsonb, finished_at = ${options.now}
    where approval = ${options.approval}`
}

const filed = z.object({ value: z.object({ number: z.string().check(z.maxLength(64)) }) })

function ticketIn(outcome: unknown): { ticket?: string } {
  const parsed = filed.safeParse(outcome)
  return parsed.success ? { ticket: parsed.data.value.number } : {}
}
