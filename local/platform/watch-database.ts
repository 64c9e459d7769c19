import { setTimeout as pause } from 'node:timers/promises'
import { toFault } from '../../shared/errors/to-fault.ts'
import { connect } from '../../shared/store/connect.ts'

export interface WatchOptions {
  /** Takes the sentences. */
  say(sentence: string): void
  /** Ends the watch. */
  signal: AbortSignal
  /** Milliseconds between two looks; default 2,000. */
  intervalMs?: number
}

/** Milliseconds that one look may take. */
const patience = 3_000

/**
 * Looks now and then whether a database that somebody else runs answers, and says so when it no longer does and
 * when it does again, once each.
 */
export async function watchDatabase(url: string, options: WatchOptions): Promise<void> {
  const { say, signal, intervalMs = 2_000 } = options
  const database = connect(url, { max: 1, name: 'demo-watch' })
  let away = false
  while (!signal.aborted) {
    const trouble = await Promise.race([
      database`select 1`.then(
        () => null,
        (error: unknown) => toFault(error).message,
      ),
      pause(patience, `no answer in ${patience / 1_000} s`, { ref: false }),
    ])
    if (signal.aborted) break
    if (trouble !== null && !away) {
      say(`The database of DATABASE_URL is away (${trouble}). What was accepted goes on when it is back.`)
    }
    if (trouble === null && away) say('The database of DATABASE_URL is back.')
    away = trouble !== null
    await pause(intervalMs, undefined, { signal, ref: false }).catch(() => {})
  }
  await database.end({ timeout: 0 })
}
