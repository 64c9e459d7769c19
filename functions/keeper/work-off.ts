import type { Fault } from '../../shared/errors/fault.ts'
import { toFault } from '../../shared/errors/to-fault.ts'
import type { Event } from '../../shared/events/event.ts'
import type { Log } from '../../shared/telemetry/log.ts'

/** How much one tick does at most of a kind that says no more, so that a backlog is worked off rather than multiplied. */
const perTick = 100

/** Something that is due: the row it is about, and the event where that is there already. */
export interface Due {
  id: string
  event?: Event
}

/** One kind of overdue work. */
export interface Chore<Item extends Due> {
  name: string
  /** How many one tick settles at most; left out: 100. */
  most?(): Promise<number>
  /** At most `limit` of what is due, the oldest first, without those in `except`. */
  find(limit: number, except: string[]): Promise<Item[]>
  /** Does one of them; false where it has to be left to a later tick. */
  settle(item: Item): Promise<boolean>
}

export interface Tick {
  log: Log
  /** False once this tick has to stop: its time is over, or another one works. */
  goesOn(): Promise<boolean>
}

/**
 * Works a chore off, each item on its own: one that fails is logged and passed over. What fails or is left counts
 * nothing towards the number of a tick, so that it cannot keep the rest from its turn.
 */
export async function workOff<Item extends Due>(
  chore: Chore<Item>,
  tick: Tick,
): Promise<{ done: number; faults: Fault[] }> {
  const tried: string[] = []
  const faults: Fault[] = []
  let done = 0
  const failed = (error: unknown, item?: Due) => {
    const fault = toFault(error)
    const { code, message: detail } = fault
    tick.log.error('a part of a tick failed', { chore: chore.name, id: item?.id, event: item?.event?.id, code, detail })
    faults.push(fault)
  }
  const most =
    chore.most === undefined
      ? perTick
      : await chore.most().catch((error: unknown) => {
          failed(error)
          return 0
        })
  while (done < most) {
    const items = await chore.find(most - done, tried).catch((error: unknown) => {
      failed(error)
      return []
    })
    if (items.length === 0) break
    for (const item of items) {
      if (!(await tick.goesOn())) return { done, faults }
      tried.push(item.id)
      try {
        if (await chore.settle(item)) done += 1
      } catch (error) {
        failed(error, item)
      }
    }
  }
  return { done, faults }
}
