import type { Fault, Place } from './cases.ts'
import type { Arrival, Order } from './control.ts'
import type { Exchange, Service } from './service.ts'
import type { ServiceName, Stand, WireName } from './stand.ts'

/** When a hanging process wakes up again. */
export type Waking =
  /** Its successor has done the work. */
  | 'finished'
  /** Its successor is in the middle of the work. */
  | 'begun'
  /** Its lease has run out, and nobody has taken over. */
  | 'lapsed'

/** A fault that has struck. */
export interface Strike {
  fault: Fault
  service: ServiceName
  pid: number
  /** Milliseconds since 1970. */
  at: number
  /** The requests that it struck, as `service id`: each must be answered all the same. */
  victims: ReadonlySet<string>
  waking: Waking | null
  /** Its next reply is to be lost. */
  losesReply: boolean
  order: Order
}

export const keyOf = (exchange: Pick<Exchange, 'service' | 'id'>): string => `${exchange.service} ${exchange.id}`

/** Does to the process that has arrived what the fault says. */
export function strike(stand: Stand, arrival: Arrival, fault: Fault, place: Place): Strike {
  const service = arrival.service as ServiceName
  const { pid, point } = arrival
  const hosting: Service = stand.services[service]
  const struck: Strike = {
    fault,
    service,
    pid,
    at: Date.now(),
    victims: new Set(
      victimsOf(stand, service, pid)
        .filter(({ id }) => id !== '')
        .map(keyOf),
    ),
    waking: null,
    losesReply: false,
    order: '',
  }
  switch (fault) {
    case 'kill':
      process.kill(pid, 'SIGKILL')
      return struck
    case 'throw':
      return { ...struck, order: 'throw' }
    case 'hang':
      process.kill(pid, 'SIGSTOP')
      hosting.replace().catch(() => {})
      return { ...struck, waking: wakingFor(point, place) }
    case 'reset':
      for (const wire of Object.values(stand.wires[service])) wire.cut()
      hosting.cutCallers()
      return struck
    case 'lose':
      return { ...struck, ...loseAnswer(stand, service, point) }
  }
}

/** Whom the process was working for: a tool server works for the agent's step. */
function victimsOf(stand: Stand, service: ServiceName, pid: number): Exchange[] {
  if (service !== 'servicenow') return stand.services[service].underWay(pid)
  return stand.services.agent.underWay()
}

function wakingFor(point: string, place: Place): Waking {
  if (place === 'middle') return 'begun'
  const leased = point.startsWith('agent:') && !/finish commit|before reply/.test(point)
  return place === 'last' && leased ? 'lapsed' : 'finished'
}

/** What follows at the point happens, and its answer does not come back; where nothing follows, the reply does not. */
function loseAnswer(stand: Stand, service: ServiceName, point: string): { order: Order; losesReply: boolean } {
  const lose = (wire: WireName, words: RegExp) => {
    const found = stand.wires[service][wire]
    if (found === undefined) throw new Error(`${service} has no wire ${wire}`)
    found.loseAnswerTo(words)
    return { order: '' as const, losesReply: false }
  }
  const [, where = ''] = point.split(': ')
  if (/^before .*commit$/.test(where)) return lose('postgres', /commit/i)
  switch (where) {
    case 'before accept':
      return lose('postgres', /insert into requests/)
    case 'before publish':
      return lose('broker', /^POST /)
    case 'before model call':
      return lose('model', /^POST /)
    case 'before tool call':
      return lose('tools', /^POST /)
    case 'before post':
      return lose('servicenow', /^POST /)
    case 'before settle':
      return lose('postgres', /update writes/)
    case 'before old rows':
      return lose('postgres', /delete from/)
    case 'before reply':
      return { order: 'lose', losesReply: false }
    default:
      return { order: '', losesReply: true }
  }
}
