import { Fault } from '../../shared/errors/fault.ts'
import type { Event } from '../../shared/events/event.ts'
import type { Caller } from '../../shared/identity/caller.ts'
import { noteAudit } from '../../shared/store/audit.ts'
import type { Database } from '../../shared/store/connect.ts'
import {
  type DeadLetter,
  discardDeadLetter,
  findDeadLetter,
  listDeadLetters,
  markRedriven,
  oldestFirst,
  redriveDeadLetter,
} from '../../shared/store/redrive.ts'
import {
  type DeadLetterBody,
  type DeadLettersBody,
  deadLetterAction,
  deadLettersQuery,
  type ShownDeadLetterBody,
  type TreatedBody,
} from './bodies.ts'

/** Dead letters of one state, oldest first. @throws Fault `request.malformed` */
export async function readDeadLetters(database: Database, request: Request): Promise<Response> {
  const query = deadLettersQuery.safeParse(Object.fromEntries(new URL(request.url).searchParams))
  if (!query.success) {
    throw new Fault('request.malformed', 'state: stored, redriven or discarded; after: an id; limit: 1 to 200')
  }
  const { state, after, limit } = query.data
  const found = await listDeadLetters(database, { state, after: after ?? null, limit })
  const last = found.at(-1)
  const body: DeadLettersBody = {
    dead_letters: found.map(toBody),
    next:
      last !== undefined && found.length === limit
        ? `/api/v1/dead-letters?state=${state}&after=${last.id}&limit=${limit}`
        : null,
  }
  return Response.json(body)
}

/** One dead letter with its event and what its turn had done. @throws Fault `request.not-found` */
export async function readDeadLetter(database: Database, id: string): Promise<Response> {
  const found = await findDeadLetter(database, id)
  if (found === null) throw new Fault('request.not-found', 'no dead letter has this id')
  const body: ShownDeadLetterBody = {
    ...toBody(found.letter),
    event: found.event,
    steps: found.steps.map(({ finishedAt, ...step }) => ({ ...step, finished_at: finishedAt.toISOString() })),
  }
  return Response.json(body)
}

/**
 * Redrives or discards dead letters, each on its own: one that was treated before, or is not there, is told so and
 * hinders no other. An event that the broker does not take leaves its letter stored. The oldest goes first; the results
 * come in the order in which they were asked for.
 * @throws Fault `request.malformed`
 */
export async function treatDeadLetters(
  database: Database,
  publish: (event: Event) => Promise<void>,
  asked: { value: unknown; caller: Caller; now: Date },
): Promise<Response> {
  const parsed = deadLetterAction.safeParse(asked.value)
  if (!parsed.success) throw new Fault('request.malformed', 'action: redrive or discard; ids: 1 to 100 ids')
  const by = asked.caller.email ?? asked.caller.subject
  const { action, ids } = parsed.data
  const results = new Map<string, Treated>(ids.map((id) => [id, { result: 'not-found', request_id: null }]))
  // Whatever order they are named in: the words of one conversation come again as they were said.
  for (const id of await oldestFirst(database, ids)) {
    const options = { id, by, now: asked.now }
    results.set(id, action === 'redrive' ? await redrive(database, publish, options) : await discard(database, options))
  }
  const body: TreatedBody = { dead_letters: [...results].map(([id, result]) => ({ id, ...result })) }
  return Response.json(body)
}

type Treated = Omit<TreatedBody['dead_letters'][number], 'id'>

async function redrive(
  database: Database,
  publish: (event: Event) => Promise<void>,
  options: { id: string; by: string; now: Date },
): Promise<Treated> {
  const entry = { actor: options.by, action: 'dead-letter.redriven', subject: options.id } as const
  const redriven = await database.begin(async (sql) => {
    const redriven = await redriveDeadLetter(sql, options)
    if (redriven?.kind === 'message') await noteAudit(sql, entry, options.now)
    return redriven
  })
  if (redriven === null) return { result: 'not-found', request_id: null }
  if (redriven.kind === 'gone') return { result: 'gone', request_id: null }
  if (redriven.kind === 'decided') return { result: `already-${redriven.state}`, request_id: null }
  const taken = await publish(redriven.event).then(
    () => true,
    (error: unknown) => {
      if (Fault.is(error) && error.code === 'broker.unavailable') return false
      throw error
    },
  )
  if (redriven.kind === 'message') return { result: 'redriven', request_id: redriven.request }
  if (!taken) return { result: 'broker-unavailable', request_id: null }
  // Published first, marked then: a crash in between costs a second publication, which changes nothing.
  await database.begin(async (sql) => {
    await markRedriven(sql, { ...options, as: null, outcome: redriven.outcome })
    await noteAudit(sql, entry, options.now)
  })
  return { result: 'redriven', request_id: null }
}

async function discard(database: Database, options: { id: string; by: string; now: Date }): Promise<Treated> {
  const before = await database.begin(async (sql) => {
    const before = await discardDeadLetter(sql, options)
    const entry = { actor: options.by, action: 'dead-letter.discarded', subject: options.id } as const
    if (before === 'stored') await noteAudit(sql, entry, options.now)
    return before
  })
  if (before === null) return { result: 'not-found', request_id: null }
  return { result: before === 'stored' ? 'discarded' : `already-${before}`, request_id: null }
}

function toBody(letter: DeadLetter): DeadLetterBody {
  return {
    id: letter.id,
    event_type: letter.eventType,
    failed_at: letter.failedAt,
    error_code: letter.errorCode,
    error_data: letter.errorData,
    outcome: letter.outcome,
    state: letter.state,
    session_id: letter.session,
    turn_id: letter.turn,
    received_at: letter.receivedAt.toISOString(),
    decided_by: letter.decidedBy,
    decided_at: letter.decidedAt?.toISOString() ?? null,
    redriven_as: letter.redrivenAs,
  }
}
