import { Fault } from '../errors/fault.ts'

/** A lease in Postgres, as its holder keeps it. */
export interface HeldLease {
  /** What is held, for the fault that says that it no longer is. */
  name: string
  leaseMs: number
  /** Milliseconds after which the work is given up: what never settles must not keep others out for ever. */
  longestMs: number
  /** Prolongs it; false where somebody else has it by now. */
  renew(): Promise<boolean>
  /** True once the work's own last write is under way, which tells by itself whether the lease held. */
  ending?: () => boolean
  /** Aborts when the process must stop. */
  signal?: AbortSignal | undefined
}

/** What the work under a lease is given. */
export interface Held {
  /** Aborts when the lease was lost, the time is over or the process must stop; every call outside takes it. */
  signal: AbortSignal
  /**
   * Throws where the lease has run out by this process's own clock: it slept, and its timers have not told it yet.
   * @throws Fault `stage.lease-lost`
   */
  check(): void
}

/**
 * Runs work under a lease that is renewed only meanwhile, and holds no connection for it. Settles as the work does, or
 * as soon as the lease is lost, its time is over or the process must stop, whatever the work does then.
 * @throws Fault `stage.lease-lost`
 */
export async function whileHeld<Result>(lease: HeldLease, work: (held: Held) => Promise<Result>): Promise<Result> {
  const { name, leaseMs, longestMs } = lease
  const lost = new AbortController()
  const lose = (detail: string, cause?: unknown) => lost.abort(new Fault('stage.lease-lost', detail, { cause }))
  let heldUntil = performance.now() + leaseMs
  const overtime = setTimeout(() => lose(`${name} took longer than ${longestMs} ms`), longestMs)
  const renewal = setInterval(() => {
    if (lost.signal.aborted) return
    const until = performance.now() + leaseMs
    lease.renew().then(
      (held) => {
        if (held) heldUntil = until
        else if (lease.ending?.() !== true) lose(name)
      },
      // A renewal that fails is a lease that will run out: stop the calls now rather than finish for nothing.
      (cause: unknown) => lose(`renewal of ${name} failed`, cause),
    )
  }, leaseMs / 3)
  const signal = lease.signal === undefined ? lost.signal : AbortSignal.any([lease.signal, lost.signal])
  const check = () => {
    signal.throwIfAborted()
    if (performance.now() >= heldUntil) throw new Fault('stage.lease-lost', `${name} ran out while this process slept`)
  }
  try {
    return await Promise.race([work({ signal, check }), rejectedBy(signal)])
  } finally {
    clearInterval(renewal)
    clearTimeout(overtime)
  }
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
