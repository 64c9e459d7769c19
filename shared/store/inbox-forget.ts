import type { Sql } from './connect.ts'
import type { Hold } from './inbox.ts'

/** Forgets an event that was taken in this transaction: it counts as new when it comes again. */
export async function forget(sql: Sql, hold: Hold): Promise<void> {
  await sql`
    delete from inbox
    where consumer = ${hold.consumer} and source = ${hold.source} and event = ${hold.event} and fence = ${hold.fence}`
}
