import type { Senders } from '../../shared/channels/senders.ts'
import { Fault } from '../../shared/errors/fault.ts'
import { toFault } from '../../shared/errors/to-fault.ts'
import { eventTypes } from '../../shared/events/catalogue.ts'
import type { Context, EventHandler } from '../../shared/stage/function.ts'
import { onceInOneTransaction } from '../../shared/stage/once.ts'
import type { Database } from '../../shared/store/connect.ts'
import { findOwedTargets, type Target } from '../../shared/store/deliveries.ts'
import { forget } from '../../shared/store/inbox-forget.ts'
import { answeredTurn, oweAnswer } from './owe.ts'
import { sendOwed } from './send-owed.ts'

export interface DispatchParts {
  database: Database
  senders: Senders
  now: () => Date
  /** Where those who take conversations over hear of them; default nowhere. */
  desk?: Target | null
  /** Milliseconds that a second delivery waits for whoever sends; default a lease, and a little more. */
  patienceMs?: number
}

/**
 * Delivers a turn's answer: first what is owed is noted, once; then whatever is owed to those targets is sent, in its
 * order. A redelivery finds it noted and only goes on sending. One target that fails holds up no other.
 * @throws Fault `delivery.unavailable`, `stage.leased`: something is still owed
 */
export function createDispatch(parts: DispatchParts): EventHandler {
  const { database, senders, now } = parts
  const owe = onceInOneTransaction({
    consumer: 'dispatch',
    database,
    work: async (event, sql) => {
      if (event.type !== eventTypes.responseReady) throw new Fault('event.unknown-type', event.type)
      if (await oweAnswer(answeredTurn(event), sql, senders, now(), parts.desk)) return null
      // Nobody of ours sent this. Forgotten, or the answer of that id would count as taken.
      await forget(sql, { consumer: 'dispatch', source: event.source, event: event.id, fence: 1 })
      return null
    },
  })
  return async (event, context) => {
    const reply = await owe(event, context)
    if (senders.names.length > 0) await sendTurn(parts, answeredTurn(event), context)
    return reply
  }
}

/** Sends to every target of a turn; what one of them gave up may be owed to another then. */
async function sendTurn(parts: DispatchParts, turn: string, context: Context): Promise<void> {
  const tried = new Set<string>()
  const faults: Fault[] = []
  for (;;) {
    const targets = (await findOwedTargets(parts.database, turn)).filter((target) => !tried.has(target))
    if (targets.length === 0) break
    const sent = await Promise.allSettled(targets.map((target) => sendOwed(parts, target, context)))
    for (const target of targets) tried.add(target)
    for (const one of sent) if (one.status === 'rejected') faults.push(toFault(one.reason))
  }
  const [first] = faults
  if (first === undefined) return
  const pause = first.retryAfter === undefined ? {} : { retryAfter: first.retryAfter }
  throw new Fault(first.code, first.message, { cause: first, ...pause })
}
