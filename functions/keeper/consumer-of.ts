import { eventTypes } from '../../shared/events/catalogue.ts'

/** Who takes each type, as the triggers give it out; the first where the address names none of them. */
const takers: Record<string, readonly [string, ...string[]]> = {
  [eventTypes.requestCreated]: ['normalize'],
  [eventTypes.requestNormalized]: ['route'],
  [eventTypes.agentHandoff]: ['route'],
  [eventTypes.agentStep]: ['agent'],
  [eventTypes.responseReady]: ['route', 'dispatch'],
}

/**
 * The stage that gave an event up: of those that take its type the one that the subscriber's address names, by the
 * first label of its host (a Service's name) or the last of its path. An address need not name any: it is a port on a
 * laptop, and the broker's own where the broker refused the stage's reply. Null: no stage of ours takes that type.
 */
export function consumerOf(type: string, destination: string | null): string | null {
  const ours = Object.hasOwn(takers, type) ? takers[type] : undefined
  if (ours === undefined) return null
  const named = namesIn(destination)
  return ours.find((stage) => named.includes(stage)) ?? ours[0]
}

function namesIn(destination: string | null): (string | undefined)[] {
  if (destination === null || !URL.canParse(destination)) return []
  const { hostname, pathname } = new URL(destination)
  return [hostname.split('.')[0], pathname.split('/').findLast((part) => part !== '')]
}
