/**
 * Asks for many in one call: what is asked while a call is under way goes into the next, which begins no sooner than
 * `pauseMs` after the last. No timer runs while nobody asks (law 7).
 */
export function createBatch<Asked, Found>(options: {
  find: (asked: readonly Asked[]) => Promise<Found[]>
  /** Milliseconds between two calls. */
  pauseMs: number
  /** Milliseconds of a clock that never goes back. */
  clock?: () => number
}): (asked: Asked) => Promise<Found> {
  const { find, pauseMs, clock = () => performance.now() } = options
  let waiting: { asked: Asked; resolve(found: Found): void; reject(error: unknown): void }[] = []
  let running = false
  let calledAt = Number.NEGATIVE_INFINITY

  const call = async (): Promise<void> => {
    const now = waiting
    waiting = []
    try {
      const found = await find(now.map(({ asked }) => asked))
      for (const [index, { resolve, reject }] of now.entries()) {
        const one = found[index]
        if (one === undefined) reject(new Error('a batch was answered in part'))
        else resolve(one)
      }
    } catch (error) {
      for (const { reject } of now) reject(error)
    }
    calledAt = clock()
    running = false
    schedule()
  }

  const schedule = (): void => {
    if (running || waiting.length === 0) return
    running = true
    setTimeout(() => void call(), Math.max(0, calledAt + pauseMs - clock()))
  }

  return (asked) =>
    new Promise((resolve, reject) => {
      waiting.push({ asked, resolve, reject })
      schedule()
    })
}
