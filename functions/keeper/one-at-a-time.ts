import { Fault } from '../../shared/errors/fault.ts'
import type { Database } from '../../shared/store/connect.ts'
import { claim, release, renew } from '../../shared/store/inbox.ts'
import type { Log } from '../../shared/telemetry/log.ts'

/** Longer than a publication may take, short enough for a tick's retries to outlast a process that died. */
const leaseMs = 8_000

/**
 * Runs work that two must not do at once: the source of a tick may send it again while the first is still worked on.
 * No timer: the work asks `holds` before each of its parts, which prolongs the lease, and stops where it was lost.
 * @throws Fault `stage.leased`
 */
export async function oneAtATime<Result>(
  database: Database,
  name: string,
  log: Log,
  work: (holds: () => Promise<boolean>) => Promise<Result>,
): Promise<Result> {
  const claimed = await claim(database, { consumer: 'keeper', source: '/keeper', event: name }, leaseMs)
  if (claimed.kind !== 'fresh') throw new Fault('stage.leased', `${name} is under way`)
  try {
    return await work(() => renew(database, claimed.hold, leaseMs))
  } finally {
    // Where this write is lost, the lease runs out by itself.
    await release(database, claimed.hold).catch((cause: unknown) => log.warn('lease not released', { error: cause }))
  }
}
