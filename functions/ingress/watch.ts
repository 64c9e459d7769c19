import type { StoredRequest } from '../../shared/store/requests.ts'
import type { Log } from '../../shared/telemetry/log.ts'

/** Milliseconds until the first look, and between two looks of this instance at the soonest. */
const firstLook = 3
const shortestPause = 5
const afterHiccup = 250

export interface Watch {
  /** Resolves with the request once it has its answer, or with null after `ms` or when the signal aborts. */
  wait(id: string, ms: number, signal: AbortSignal): Promise<StoredRequest | null>
  /** Answers every waiter with null and takes no more. */
  stop(): void
  /** How many wait now. */
  count(): number
}

interface Waiter {
  id: string
  since: number
  due: number
  settle(row: StoredRequest | null): void
}

/** Milliseconds between two looks for a request that old: most answers come soon, a late one may come a little later. */
function pauseAt(age: number): number {
  if (age < 1_000) return shortestPause
  if (age < 5_000) return 25
  return age < 20_000 ? 100 : 250
}

/**
 * Waits for answers of any number of requests with one query at a time: who is due, or nearly, is asked for together.
 * No timer runs while nobody waits (law 7), and a store that fails for a while only delays the waiters.
 */
export function createWatch(options: {
  find: (ids: readonly string[]) => Promise<StoredRequest[]>
  log: Log
  /** Milliseconds of a clock that never goes back. */
  clock?: () => number
}): Watch {
  const { find, log, clock = () => performance.now() } = options
  const waiters = new Set<Waiter>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let looking = false
  let lookedAt = Number.NEGATIVE_INFINITY
  let failing = false
  let stopped = false

  const schedule = (): void => {
    clearTimeout(timer)
    if (looking || waiters.size === 0) return
    let next = Number.POSITIVE_INFINITY
    for (const waiter of waiters) next = Math.min(next, waiter.due)
    timer = setTimeout(() => void look(), Math.max(0, next - clock(), lookedAt + shortestPause - clock()))
  }

  const look = async (): Promise<void> => {
    looking = true
    const now = clock()
    const asked = [...waiters].filter((waiter) => waiter.due <= now + pauseAt(now - waiter.since) / 2)
    const answered = await findOrNothing(asked)
    looking = false
    lookedAt = clock()
    for (const waiter of asked) {
      const row = answered.get(waiter.id)
      if (row !== undefined) waiter.settle(row)
      else waiter.due = lookedAt + (failing ? afterHiccup : pauseAt(lookedAt - waiter.since))
    }
    schedule()
  }

  const findOrNothing = async (asked: Waiter[]): Promise<Map<string, StoredRequest>> => {
    try {
      const rows = await find([...new Set(asked.map((waiter) => waiter.id))])
      failing = false
      return new Map(rows.map((row) => [row.id, row]))
    } catch (error) {
      if (!failing) log.warn('answers cannot be looked for; waiting goes on', { error, waiting: waiters.size })
      failing = true
      return new Map()
    }
  }

  return {
    wait: (id, ms, signal) =>
      new Promise((resolve) => {
        if (stopped || ms <= 0 || signal.aborted) return resolve(null)
        const giveUp = (): void => waiter.settle(null)
        const deadline = setTimeout(giveUp, ms)
        const since = clock()
        const waiter: Waiter = {
          id,
          since,
          due: since + firstLook,
          settle(row) {
            waiters.delete(waiter)
            clearTimeout(deadline)
            signal.removeEventListener('abort', giveUp)
            if (waiters.size === 0) clearTimeout(timer)
            resolve(row)
          },
        }
        signal.addEventListener('abort', giveUp)
        waiters.add(waiter)
        schedule()
      }),
    stop() {
      stopped = true
      for (const waiter of waiters) waiter.settle(null)
    },
    count: () => waiters.size,
  }
}
