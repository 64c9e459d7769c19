import { Fault } from '../../errors/fault.ts'
import type { Event } from '../../events/event.ts'
import { type ExpressionScope, evaluateIn } from '../../flow/expression.ts'
import type { Json } from '../../flow/json.ts'
import { renderIn } from '../../flow/template.ts'
import { parseEmail } from '../../identity/email.ts'
import { type Integration, type Mapping, namesOfEvent } from './integration.ts'

/** What an event becomes: somebody's message. */
export interface MappedEvent {
  person: string
  text: string
  /** Channels on which the person is answered; null: any. */
  answer: readonly string[] | null
}

const scopes = new WeakMap<Mapping, ExpressionScope>()

/**
 * The message that an event of this source becomes; null where the file says that it becomes none.
 * @throws Fault `channel.forged` (another system's event), `event.unknown-type`, `event.data-invalid`
 */
export function mapEvent(integration: Integration, event: Event): MappedEvent | null {
  const { name, sources, events, others, domains } = integration
  if (!sources.includes(event.source)) throw new Fault('channel.forged', `${name} has no key for this event's source`)
  const mapping = Object.hasOwn(events, event.type) ? events[event.type] : undefined
  if (mapping === undefined) {
    if (others === 'ignore') return null
    throw new Fault('event.unknown-type', `${name} maps no events of this type`)
  }
  const scope = scopes.get(mapping) ?? { name: `${name}: ${event.type}`, names: namesOfEvent }
  scopes.set(mapping, scope)
  const values = { event: asJson(event) }
  return usable(scope.name, () => {
    if (mapping.when !== undefined && evaluateIn(scope, mapping.when, values) !== true) return null
    const value = evaluateIn(scope, mapping.person, values)
    const person = typeof value === 'string' ? parseEmail(value) : null
    if (person === null) throw new Fault('event.data-invalid', `${scope.name}: "person" gives no e-mail address`)
    if (!domains.includes(person.slice(person.indexOf('@') + 1))) {
      throw new Fault('event.data-invalid', `${scope.name}: "person" is of none of the domains`)
    }
    return { person, text: renderIn(scope, mapping.text, values), answer: mapping.answer ?? null }
  })
}

/** An expression that fails does so on what the sender sent. */
function usable<T>(place: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (!Fault.is(cause) || cause.code !== 'flow.expression-failed') throw cause
    throw new Fault('event.data-invalid', `${place}: the event lacks what the file asks of it: ${cause.message}`, {
      cause,
    })
  }
}

/** An event was read from JSON and headers: nothing else is in it. */
function asJson(event: Event): Json {
  return JSON.parse(JSON.stringify(event))
}
