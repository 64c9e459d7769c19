import { Fault } from '../../shared/errors/fault.ts'
import type { Event } from '../../shared/events/event.ts'
import type { Database } from '../../shared/store/connect.ts'
import type { Log } from '../../shared/telemetry/log.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { type Chore, type Due, workOff } from './work-off.ts'

/** Milliseconds after which a tick begins nothing more; what is left waits for the next one. */
const tickMs = 30_000

export interface TickParts {
  database: Database
  publish: (event: Event) => Promise<void>
  now: () => Date
  log: Log
  signal?: AbortSignal | undefined
}

/**
 * Works a tick's chores off, one after the other: a tick must not take every connection.
 * @throws Fault the first that is retryable, or `stage.failed`, where something failed; all the rest is done by then.
 * `stage.leased` where another tick of this name is at work.
 */
export async function runTick(name: string, chores: Chore<Due>[], parts: TickParts): Promise<void> {
  const { database, now, log, signal } = parts
  const until = now().getTime() + tickMs
  const faults = await oneAtATime(database, name, log, async (holds) => {
    const goesOn = async () => now().getTime() < until && !signal?.aborted && (await holds())
    const found: Fault[] = []
    for (const chore of chores) {
      const { done, faults } = await workOff(chore, { log, goesOn })
      if (done > 0) log.info('tick worked', { tick: name, chore: chore.name, done })
      found.push(...faults)
    }
    return found
  })
  const [first] = faults
  if (first === undefined) return
  const passing = faults.find((fault) => fault.class === 'retryable')
  throw new Fault(passing?.code ?? 'stage.failed', `${faults.length} parts of a tick failed`, { cause: first })
}
