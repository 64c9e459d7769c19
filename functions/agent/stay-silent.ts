import * as z from 'zod/mini'
import { toFault } from '../../shared/errors/to-fault.ts'
import type { Chain, Event } from '../../shared/events/event.ts'
import type { Lease } from '../../shared/stage/once.ts'
import type { Sql } from '../../shared/store/connect.ts'
import { type Handoff, noteTold, releaseHandoff } from '../../shared/store/handoffs.ts'
import { writeJournal } from '../../shared/store/journal.ts'
import { lockSession } from '../../shared/store/sessions.ts'
import type { TurnInContext } from '../../shared/store/turns.ts'
import { answerTurn } from '../../shared/turn/answer-turn.ts'
import type { AgentParts } from './parts.ts'
import { type Silence, silentAnswer, wantsAgent } from './person.ts'

/** Milliseconds from one time that an employee hears who has the conversation to the next. */
const inFullMs = 3_600_000

/** ServiceNow lists so many open requests at most: what is not among them may be open all the same. */
const listed = 20

/**
 * Answers a message to a conversation that a person has, without the agent. Null: the ticket is closed by now, which is
 * looked up at most once an hour and only because the employee wrote; the agent has the conversation again.
 */
export async function staySilent(
  turn: TurnInContext,
  handoff: Handoff,
  lease: Lease,
  parts: AgentParts,
  chain: Chain,
): Promise<{ event: Event | null } | null> {
  const now = parts.now()
  const inFull = now.getTime() - handoff.toldAt.getTime() >= inFullMs
  const { ticket } = handoff
  if (wantsAgent(turn.content)) {
    const back = { name: 'menu', ticket } as const
    return {
      event: await lease.finish(async (sql) => {
        await releaseHandoff(sql, handoff.id, turn.speaker ?? turn.caller, now)
        return answerSilently(sql, turn, back, { chain, now })
      }),
    }
  }
  if (inFull && (await isClosed(ticket, turn, lease, parts))) {
    await lease.record((sql) => releaseHandoff(sql, handoff.id, 'ticket', now))
    return null
  }
  return {
    event: await lease.finish(async (sql) => {
      if (inFull) await noteTold(sql, handoff.id, now)
      return answerSilently(sql, turn, { name: 'silent', ticket, inFull }, { chain, now })
    }),
  }
}

/** Ends the turn with it, and journals it as a command is: no flow has run. */
export async function answerSilently(
  sql: Sql,
  turn: TurnInContext,
  silent: Silence,
  options: { chain: Chain; now: Date },
): Promise<Event | null> {
  const { now } = options
  const session = await lockSession(sql, turn.session)
  if (session?.turn !== turn.id) return null
  const event = await answerTurn(sql, turn, silentAnswer(silent), { ...options, source: '/agent' })
  if (event === null) return null
  await writeJournal(sql, {
    ...{ turn: turn.id, number: turn.step, agent: 'system', name: silent.name, kind: 'command', promptHash: null },
    ...{ request: null, answer: silent, reads: [], inputTokens: 0, outputTokens: 0 },
    ...{ startedAt: now, finishedAt: now, place: null },
  })
  return event
}

const open = z.object({ requests: z.array(z.object({ number: z.string() })) })

/** Whether ServiceNow certainly has the ticket closed. One that cannot be asked says nothing. */
async function isClosed(ticket: string, turn: TurnInContext, lease: Lease, parts: AgentParts): Promise<boolean> {
  const call = { tool: 'servicenow.list_open_requests', arguments: {}, person: turn.email, approval: null }
  try {
    const outcome = await parts.callTool({ ...call, timeoutMs: 5_000 }, lease.signal)
    const parsed = open.safeParse(outcome.ok ? outcome.value : null)
    if (!parsed.success || parsed.data.requests.length >= listed) return false
    return parsed.data.requests.every(({ number }) => number !== ticket)
  } catch (error) {
    if (lease.signal.aborted || !toFault(error).code.startsWith('tool.')) throw error
    return false
  }
}
