/** Time as the broker sees it; tests give their own. */
export interface Clock {
  now(): Date
  /** Calls `wake` once, `milliseconds` from now, unless the returned function is called first. */
  after(milliseconds: number, wake: () => void): () => void
}

/** Node's timers hold at most 2^31 - 1 ms; a longer wait ends early, and whoever waited looks at the time again. */
const longest = 2_147_483_647

export const systemClock: Clock = {
  now: () => new Date(),
  after(milliseconds, wake) {
    const timer = setTimeout(wake, Math.min(Math.max(milliseconds, 0), longest))
    return () => clearTimeout(timer)
  },
}
