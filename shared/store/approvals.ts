import { Fault } from '../errors/fault.ts'
import type { ApprovalChange, Json } from '../flow/index.ts'
import { noteAudit } from './audit.ts'
import type { Sql } from './connect.ts'

export interface Approval {
  id: string
  state: 'open' | 'granted' | 'declined' | 'expired' | 'used'
  tool: string
  arguments: Record<string, Json>
  argumentsHash: string
  person: string
  expiresAt: Date
}

interface Row {
  id: string
  state: Approval['state']
  tool: string
  arguments: Record<string, Json>
  arguments_hash: string
  person: string
  expires_at: Date
}

/** Reads an approval; null where the session's person has none of that id: it may be older than the session. */
export async function findApproval(sql: Sql, session: string, id: string): Promise<Approval | null> {
  const [row] = await sql<Row[]>`
    select a.id, a.state, a.tool, a.arguments, a.arguments_hash, a.person, a.expires_at
    from approvals a join sessions o on o.id = a.session join sessions s on s.person = o.person
    where a.id = ${id} and s.id = ${session}`
  if (!row) return null
  const { arguments_hash, expires_at, ...same } = row
  return { ...same, argumentsHash: arguments_hash, expiresAt: expires_at }
}

/**
 * Applies what a step decided about approvals. Each change is a compare-and-set, so that a yes counts once; a no and a
 * withdrawal also take back a yes that nothing has used. A yes counts only from the person it was asked of.
 * @throws Fault `stage.superseded` where somebody else decided meanwhile.
 */
export async function applyApprovalChanges(
  sql: Sql,
  context: { session: string; turn: string; request: string; agent: string; decidedBy: string; now: Date },
  changes: ApprovalChange[],
): Promise<void> {
  for (const change of changes) {
    if (change.kind === 'open') {
      await sql`
        insert into approvals (id, session, turn, step, tool, arguments, arguments_hash, person, expires_at, created_at,
          question, request, agent, continuation)
        values (${change.id}, ${context.session}, ${context.turn}, ${change.step}, ${change.tool},
          ${sql.json(change.arguments)}, ${change.argumentsHash}, ${change.person}, ${change.expiresAt}, ${context.now},
          ${change.question}, ${context.request}, ${change.continuation === null ? null : context.agent},
          ${change.continuation === null ? null : sql.json({ ...change.continuation })})`
      continue
    }
    const state = stateAfter[change.kind]
    const rows = await sql`
      update approvals set state = ${state}, decided_by = ${context.decidedBy}, decided_at = ${context.now}
      where id = ${change.id} and session = ${context.session}
        and ((state = 'open' and ${change.kind} <> 'use') or (state = 'granted' and ${change.kind} <> 'grant'))
        and (${change.kind} <> 'grant' or (expires_at > ${context.now} and person = ${context.decidedBy}))
      returning 1`
    if (rows.length === 0) throw new Fault('stage.superseded', `approval ${change.id} was decided meanwhile`)
    if (change.kind === 'grant' || change.kind === 'decline') {
      await noteAudit(
        sql,
        {
          actor: context.decidedBy,
          action: `approval.${state === 'granted' ? 'granted' : 'declined'}`,
          subject: change.id,
        },
        context.now,
      )
    }
  }
}

const stateAfter = { grant: 'granted', decline: 'declined', expire: 'expired', use: 'used' } as const

/** Takes back every yes of the employee's own that was not used: the session's flow is over, and nothing may use it. */
export async function withdrawApprovals(sql: Sql, session: string, by: string, now: Date): Promise<void> {
  await sql`
    update approvals set state = 'expired', decided_by = ${by}, decided_at = ${now}
    where session = ${session} and state in ('open', 'granted') and continuation is null`
}
