import type { Senders } from '../../shared/channels/senders.ts'
import { Fault } from '../../shared/errors/fault.ts'
import { toFault } from '../../shared/errors/to-fault.ts'
import { eventTypes } from '../../shared/events/catalogue.ts'
import { parseData } from '../../shared/events/parse.ts'
import type { EventHandler } from '../../shared/stage/function.ts'
import { onceInOneTransaction } from '../../shared/stage/once.ts'
import type { Database } from '../../shared/store/connect.ts'
import { findOwedTargets } from '../../shared/store/deliveries.ts'
import { oweAnswer } from './owe.ts'
import { sendOwed } from './send-owed.ts'

/**
 * Delivers a turn's answer: first what is owed is noted, once; then whatever is owed to those targets is sent, in its
 * order. A redelivery finds it noted and only goes on sending. One target that fails holds up no other.
 */
export function createDispatch(parts: { database: Database; senders: Senders; now: () => Date }): EventHandler {
  const { database, senders, now } = parts
  const owe = onceInOneTransaction({
    consumer: 'dispatch',
    database,
    work: (event, sql) => oweAnswer(event, sql, senders, now()),
  })
  return async (event, context) => {
    const reply = await owe(event, context)
    if (senders.names.length === 0) return reply
    const { turn_id } = parseData(event, eventTypes.responseReady)
    const faults: Fault[] = []
    for (const target of await findOwedTargets(database, turn_id)) {
      try {
        await sendOwed({ database, senders, now, log: context.log, signal: context.signal }, target)
      } catch (error) {
        faults.push(toFault(error))
      }
    }
    const [first] = faults
    if (first !== undefined) throw new Fault(first.code, first.message, { cause: first, ...pauseOf(first) })
    return reply
  }
}

function pauseOf(fault: Fault): { retryAfter?: number } {
  return fault.retryAfter === undefined ? {} : { retryAfter: fault.retryAfter }
}
