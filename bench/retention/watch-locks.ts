import { setTimeout as pause } from 'node:timers/promises'
import type { Database } from '../../shared/store/connect.ts'

/** Milliseconds between two looks, and after which a statement of the retention is slow. */
export const everyMs = 5
export const slowMs = 50

export interface Waits {
  /** Milliseconds that somebody waited for a lock at the longest, by Postgres' own clock, by application name. */
  longest: Record<string, number>
  /** How often slow statements of the retention were seen at which wait; `running` where at none, so for a processor. */
  slow: Record<string, number>
}

/** Looks who waits for what until the signal aborts. */
export async function watchLocks(database: Database, signal: AbortSignal): Promise<Waits> {
  const waits: Waits = { longest: {}, slow: {} }
  while (!signal.aborted) {
    const rows = await database<{ name: string; ms: number }[]>`
      select a.application_name as name, max(extract(epoch from clock_timestamp() - l.waitstart))::float8 * 1000 as ms
      from pg_locks l join pg_stat_activity a using (pid) where not l.granted and l.waitstart is not null group by 1`
    for (const { name, ms } of rows) waits.longest[name] = Math.max(waits.longest[name] ?? 0, ms)
    const slow = await database<{ wait: string }[]>`
      select coalesce(wait_event_type || ' ' || wait_event, 'running') as wait from pg_stat_activity
      where application_name = 'retention' and state = 'active'
        and clock_timestamp() - query_start > ${slowMs}::int * interval '1 ms'`
    for (const { wait } of slow) waits.slow[wait] = (waits.slow[wait] ?? 0) + 1
    await pause(everyMs)
  }
  return waits
}
