import { eventTypes } from '../../shared/events/catalogue.ts'
import type { Event } from '../../shared/events/event.ts'
import { parseData } from '../../shared/events/parse.ts'
import type { Context, EventHandler } from '../../shared/stage/function.ts'
import { onceInOneTransaction } from '../../shared/stage/once.ts'
import type { Database } from '../../shared/store/connect.ts'
import { keepDeadLetter } from './keep-dead-letter.ts'
import { repair } from './repair.ts'

/**
 * The keeper's two jobs: dead letters and ticks. What follows from either is published to the broker before the event
 * is answered; a sink's own reply is not relied on, since no broker takes replies from a dead letter sink.
 */
export function createKeeper(options: {
  database: Database
  publish: (event: Event) => Promise<void>
  now: () => Date
}): EventHandler {
  const { database, publish, now } = options
  const keepOnce = onceInOneTransaction({
    consumer: 'keeper',
    database,
    identify: byWhoGaveUp,
    work: (event, sql) => keepDeadLetter(event, sql, now()),
  })
  return async (event: Event, context: Context) => {
    if (event.type === eventTypes.tick) {
      const { task } = parseData(event, eventTypes.tick)
      const events = task === 'repair' ? await repair(database, now()) : []
      for (const overdue of events) await publish(overdue)
      if (events.length > 0) context.log.info('tick repaired', { events: events.length })
      return null
    }
    // A redelivered dead letter finds its stored event here and publishes it once more: it may have been lost before.
    const next = await keepOnce(event, context)
    if (next !== null) await publish(next)
    return null
  }
}

/** Two consumers may give up the same event; for the keeper those are two dead letters. */
function byWhoGaveUp(event: Event): { source: string; event: string } {
  return { source: `${event.source} ${String(event['knativeerrordest'] ?? '')}`, event: event.id }
}
