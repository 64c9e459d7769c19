import { setTimeout as pause } from 'node:timers/promises'
import type { Stand } from './stand.ts'

/** Until no event is owed and no session waits for anything. */
export async function atRest(stand: Stand, longestMs: number): Promise<void> {
  const until = performance.now() + longestMs
  for (;;) {
    const [left] = await stand.database<{ text: string | null }[]>`
      select nullif(concat_ws(', ',
        (select nullif(count(*), 0) || ' events at the broker' from broker.deliveries),
        (select nullif(count(*), 0) || ' leases' from inbox where state <> 'finished'
          -- The one by which only one tick works at a time is no event's: given back, it stays as it is.
          and not (consumer = 'keeper' and source = '/keeper' and lease_until < now())),
        (select nullif(count(*), 0) || ' sessions with a turn' from sessions where turn is not null),
        (select nullif(count(*), 0) || ' sessions owed an event' from sessions where pending_event is not null),
        (select nullif(count(*), 0) || ' undelivered turns' from turns where not delivered),
        (select nullif(count(*), 0) || ' unanswered requests' from requests where state in ('accepted', 'queued'))
      ), '') as text`
    const text = left?.text ?? null
    if (text === null) return
    if (performance.now() > until) throw new Error(`still there after ${longestMs / 1_000} s: ${text}`)
    await pause(10)
  }
}
