import { eventTypes } from '../../../shared/events/catalogue.ts'
import type { Event } from '../../../shared/events/event.ts'
import { createLog } from '../../../shared/telemetry/log.ts'
import { quiet } from '../../../test/pipeline.ts'
import type { World } from '../../../test/world.ts'
import { createKeeper } from '../keep.ts'

export const minutes = 60_000

/** An event as a broker hands it to the keeper once `consumer` has given it up. */
export function given(event: Event, consumer: string, body: object = { code: 'stage.failed' }): Event {
  return {
    ...event,
    knativeerrordest: `http://${consumer}.self-service-agent.svc.cluster.local`,
    knativeerrorcode: 500,
    knativeerrordata: Buffer.from(JSON.stringify(body)).toString('base64'),
  }
}

export function tickAt(time: Date): Event {
  const id = `tick-${time.getTime()}`
  return { specversion: '1.0', id, source: '/ping', type: eventTypes.tick, data: { task: 'repair' } }
}

/** Brings a message as far as its first agent.step. */
export async function openTurn({ pipeline }: World, email: string, content = 'hello') {
  const { id, event } = await pipeline.accept(email, content)
  const normalized = await pipeline.handlers.normalize(event, quiet)
  const step = normalized && (await pipeline.handlers.route(normalized, quiet))
  if (!step) throw new Error('no step')
  return { id, event, normalized, step }
}

/** A keeper whose broker keeps what it takes, and says no where `refuse` throws; with the lines that it logs. */
export function keeperOf({ db, pipeline }: World, refuse: (event: Event) => void | Promise<void> = () => {}) {
  const taken: Event[] = []
  const lines: Record<string, unknown>[] = []
  const log = createLog({}, { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) })
  const keeper = createKeeper({
    database: db.database,
    now: pipeline.now,
    publish: async (event) => {
      await refuse(event)
      taken.push(event)
    },
  })
  return {
    taken,
    lines,
    take: (event: Event, signal?: AbortSignal) => keeper(event, { log, ...(signal && { signal }) }),
  }
}

/** The dead letters of one type, in the order in which they came first. */
export function letters({ db }: World, type: string) {
  return db.database<
    { outcome: string; state: string; error_code: number; error_data: string; event: string; session: string }[]
  >`
    select outcome, state, error_code, error_data, event, session from dead_letters where event_type = ${type} order by received_at`
}
