import { deterministicId } from '../../shared/events/event.ts'
import type { Transaction } from '../../shared/store/connect.ts'
import { storeDeadLetter } from '../../shared/store/dead-letters.ts'
import { oweDelivery, settleTurn } from '../../shared/store/deliveries.ts'
import type { OwedDelivery, TryEnd } from '../../shared/store/delivery-queue.ts'
import { findReachable } from '../../shared/store/reachable.ts'
import { findResponse } from '../../shared/store/turns.ts'
import type { DispatchParts } from './dispatch.ts'
import { reachOn } from './reach.ts'

/**
 * What becomes of a delivery that is given up: it goes to the next channel on which its reader is reached, and where
 * there is none it is a dead letter, which an operator sees and can redrive.
 */
export async function giveUp(sql: Transaction, parts: DispatchParts, owed: OwedDelivery, end: TryEnd): Promise<void> {
  const { senders, now } = parts
  const { turn, content, offer, person } = owed
  if (end.kind === 'given-up') {
    const reader = person === null ? null : await findReachable(sql, `email:${person.email}`)
    const others = senders.names.slice(senders.names.indexOf(owed.channel) + 1)
    const target = reachOn(senders, others, reader?.identities ?? [])
    if (target !== null)
      await oweDelivery(sql, { turn, person: person?.id ?? null, target, content, offer, origin: null }, now())
    else await keepLetter(sql, owed, end.error, now())
  }
  await settleTurn(sql, turn)
}

async function keepLetter(sql: Transaction, owed: OwedDelivery, error: string, now: Date): Promise<void> {
  const stored = await findResponse(sql, owed.turn)
  if (stored === null) return
  await storeDeadLetter(sql, {
    id: deterministicId('dead-letter', owed.turn, owed.target),
    event: stored.event,
    session: owed.session,
    turn: owed.turn,
    failure: {
      destination: `${owed.channel}`,
      status: null,
      data: JSON.stringify({ code: error.split(':')[0], detail: error }),
    },
    outcome: 'recorded',
    now,
  })
}
