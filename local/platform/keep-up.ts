import { setTimeout as pause } from 'node:timers/promises'

/** A process, or several behind one face, that may end by itself. */
export interface Part {
  /** Resolves with how it ended. */
  ended: Promise<string>
  stop(): Promise<void>
}

export interface KeptPart<Kind extends Part> {
  /** What runs now, or ran last. */
  readonly current: Kind
  /** Resolves with sentences for a person once it was given up, and with '' once it was stopped. */
  given: Promise<string>
  stop(): Promise<void>
}

export interface KeepOptions<Kind extends Part> {
  /** What it is called at the start of a sentence. */
  name: string
  /** Where its log is. */
  log: string
  /** Starts it once more; gives up where the signal says so. */
  again(signal: AbortSignal): Promise<Kind>
  /** Takes a sentence whenever it ended and whenever it is back. */
  say(sentence: string): void
  /** Milliseconds of a clock that never goes back. */
  now(): number
}

/** So many failures within so many milliseconds are no accident. */
const failuresAtMost = 3
const withinMs = 60_000
/** Milliseconds before the next try, where starting it again failed too. */
const pauseMs = 1_000

/** Starts a part again whenever it ends by itself, and gives it up at the third failure within a minute. */
export function keepUp<Kind extends Part>(first: Kind, options: KeepOptions<Kind>): KeptPart<Kind> {
  const { name, log, say, now } = options
  const stopping = new AbortController()
  const failures: number[] = []
  let current = first
  let starting: Promise<string | null> | undefined

  /** Null where it runs again, else why it does not. */
  const startAgain = (): Promise<string | null> =>
    options.again(stopping.signal).then(
      (next) => {
        current = next
        return null
      },
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )

  const watch = async (): Promise<string> => {
    for (;;) {
      let what = `${name} ended (${await current.ended})`
      let reason = `Its log is ${log}.`
      for (let tries = 0; ; tries += 1) {
        if (stopping.signal.aborted) return ''
        failures.push(now())
        if (failures.filter((at) => at > now() - withinMs).length >= failuresAtMost) {
          return `${what}, the third failure within a minute: it is not started again. ${reason}`
        }
        say(`${what}; it is started again.`)
        if (tries > 0) await pause(pauseMs, undefined, { signal: stopping.signal }).catch(() => {})
        if (stopping.signal.aborted) return ''
        starting = startAgain()
        const why = await starting
        if (why === null) break
        what = `${name} does not start`
        reason = why
      }
      if (stopping.signal.aborted) return ''
      say(`${name} is up again.`)
    }
  }
  const given = watch()
  return {
    get current() {
      return current
    },
    given,
    async stop() {
      stopping.abort()
      await starting
      await current.stop()
      await given
    },
  }
}
