import type { Mailboxes } from '../../shared/channels/mailboxes.ts'
import { eventTypes } from '../../shared/events/catalogue.ts'
import type { Event } from '../../shared/events/event.ts'
import { parseData } from '../../shared/events/parse.ts'
import { faultPoint } from '../../shared/stage/fault-point.ts'
import type { EventHandler } from '../../shared/stage/function.ts'
import type { Database } from '../../shared/store/connect.ts'
import { finish, take } from '../../shared/store/inbox.ts'
import { forget } from '../../shared/store/inbox-forget.ts'
import { fetchMail } from './fetch-mail.ts'
import { keepDeadLetter } from './keep-dead-letter.ts'
import { expiredAttachments, oldRows } from './keep-house.ts'
import { isDeadLetter } from './read-failure.ts'
import { repairChores } from './repair.ts'
import { runTick } from './run-tick.ts'

/**
 * The keeper's two jobs: dead letters and ticks. What follows from either is published to the broker before the event
 * is answered; a sink's own reply is not relied on, since no broker takes replies from a dead letter sink.
 */
export function createKeeper(options: {
  database: Database
  publish: (event: Event) => Promise<void>
  now: () => Date
  /** Deletes an attachment's bytes, gone or not; left out where this deployment keeps none. */
  deleteObject?: (key: string) => Promise<void>
  /** True: after a turn that was given up, a person is asked to take the conversation over. */
  callsPerson?: boolean
  /** What the mail tick looks into; left out: nothing. */
  mailboxes?: Mailboxes
}): EventHandler {
  const { database, now, deleteObject, mailboxes, callsPerson = false } = options
  const publish = async (event: Event): Promise<void> => {
    await faultPoint('keeper: before publish')
    await options.publish(event)
    await faultPoint('keeper: after publish')
  }
  return async (event, { log, signal }) => {
    // A tick that was given up is no tick: what it was for, the next one has done by now.
    if (event.type === eventTypes.tick && !isDeadLetter(event)) {
      const { task } = parseData(event, eventTypes.tick)
      const parts = { database, publish, now, log, signal }
      if (task === 'repair') await runTick(task, repairChores(parts), parts)
      if (task === 'keep-house') {
        const attachments = deleteObject === undefined ? [] : [expiredAttachments(parts, deleteObject)]
        await runTick(task, [...attachments, oldRows(parts)], parts)
      }
      if (task === 'mail' && mailboxes !== undefined) await fetchMail(mailboxes, { log, signal })
      return null
    }
    const next = await keepOnce(event, database, now(), callsPerson)
    if (next !== null) await publish(next)
    return null
  }
}

/**
 * Law 1 for dead letters. One that was settled finds its stored event and publishes it once more: it may have been lost
 * before. One that was only recorded, because its turn was being worked on, is examined again when it comes again.
 */
async function keepOnce(event: Event, database: Database, now: Date, callsPerson: boolean): Promise<Event | null> {
  const next = await database.begin(async (sql) => {
    const taken = await take(sql, { consumer: 'keeper', ...byWhoGaveUp(event) })
    if (taken.kind === 'finished') return taken.reply
    const { outcome, next } = await keepDeadLetter(event, sql, now, { callsPerson })
    if (outcome === 'recorded') await forget(sql, taken.hold)
    else if (next !== null) await finish(sql, taken.hold, next)
    await faultPoint('keeper: before commit')
    return next
  })
  await faultPoint('keeper: after commit')
  return next
}

/** Two consumers may give up the same event; for the keeper those are two dead letters. */
function byWhoGaveUp(event: Event): { source: string; event: string } {
  return { source: `${event.source} ${String(event['knativeerrordest'] ?? '')}`, event: event.id }
}
