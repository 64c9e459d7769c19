import type { AgentParts } from '../functions/agent/parts.ts'
import { runStep } from '../functions/agent/run-step.ts'
import { createDispatch } from '../functions/dispatch/dispatch.ts'
import { createKeeper } from '../functions/keeper/keep.ts'
import { normalize } from '../functions/normalize/normalize.ts'
import { route } from '../functions/route/route.ts'
import { type Incoming, type Received, receive } from '../shared/channels/receive.ts'
import type { Senders } from '../shared/channels/senders.ts'
import type { Fault } from '../shared/errors/fault.ts'
import { toFault } from '../shared/errors/to-fault.ts'
import { eventTypes } from '../shared/events/catalogue.ts'
import { buildEvent, deterministicId, type Event } from '../shared/events/event.ts'
import type { Context, EventHandler } from '../shared/stage/function.ts'
import { onceInOneTransaction, onceWithLease } from '../shared/stage/once.ts'
import type { Database } from '../shared/store/connect.ts'
import type { Target } from '../shared/store/deliveries.ts'
import { acceptRequest, findRequest, type StoredRequest } from '../shared/store/requests.ts'
import { createLog } from '../shared/telemetry/log.ts'

/** The stages' handlers on a real database in this process, with a broker that is a loop: for tests of their logic. */
export interface Pipeline {
  handlers: Record<'normalize' | 'route' | 'agent' | 'dispatch' | 'keeper', EventHandler>
  /** What the agent's steps are made with. */
  parts: AgentParts
  /** Every event that was published or answered, in order. */
  events: Event[]
  /** Accepts a message as the door would, without delivering its event. */
  accept(email: string, content: string, by?: Speaker): Promise<{ id: string; event: Event }>
  /** Delivers events and what follows from them until nothing follows. */
  deliver(...events: Event[]): Promise<void>
  /** accept and deliver; the answer. */
  say(email: string, content: string, by?: Speaker): Promise<StoredRequest>
  /** Takes a message as a channel brings it, and delivers what follows. */
  receive(incoming: Incoming): Promise<Received>
  now: () => Date
  /** Moves the clock on. */
  pass(milliseconds: number): void
}

/** Who says it, where that is not the person it is for. */
export interface Speaker {
  caller: string
  speaker: string | null
  /** The approval whose button it was. */
  button?: string
}

/** Attempts after the first, as knative/base gives the triggers in number. */
const retries = 8

const noChannels: Senders = { names: [], reach: () => null, of: async () => null, close: async () => {} }

export const quiet: Context = { log: createLog({}, { write: () => {} }) }

export function createPipeline(
  database: Database,
  parts: Pick<AgentParts, 'agents' | 'model' | 'callTool'> &
    Partial<Pick<AgentParts, 'limits'>> & { senders?: Senders; callsPerson?: boolean; desk?: Target | null },
  start = new Date('2026-11-24T09:00:00Z'),
): Pipeline {
  let time = start.getTime()
  const now = () => new Date(time)
  const events: Event[] = []
  const { senders = noChannels, callsPerson = false, desk = null, ...ofAgent } = parts
  const agentParts: AgentParts = {
    database,
    now,
    limits: { stepsPerTurn: 40, tokensPerTurn: 20_000, tokensPerSession: 200_000, writeWindowMs: 60_000 },
    ...ofAgent,
  }
  const handlers: Pipeline['handlers'] = {
    normalize: onceInOneTransaction({
      consumer: 'normalize',
      database,
      work: (event, sql) => normalize(event, sql, now()),
    }),
    route: onceInOneTransaction({ consumer: 'route', database, work: (event, sql) => route(event, sql, now()) }),
    agent: onceWithLease({
      consumer: 'agent',
      database,
      // Time is played here: a redelivery is told at once what it would be told a lease later.
      patienceMs: 0,
      work: (event, lease) => runStep(event, lease, agentParts),
    }),
    dispatch: createDispatch({ database, senders, desk, now, patienceMs: 0 }),
    keeper: createKeeper({ database, now, callsPerson, publish: async (event) => void queue.push(event) }),
  }
  const consumers: Record<string, (keyof Pipeline['handlers'])[]> = {
    [eventTypes.requestCreated]: ['normalize'],
    [eventTypes.requestNormalized]: ['route'],
    [eventTypes.agentHandoff]: ['route'],
    [eventTypes.agentStep]: ['agent'],
    [eventTypes.responseReady]: ['dispatch', 'route'],
  }
  const queue: Event[] = []
  let accepted = 0

  const accept = async (email: string, content: string, by?: Speaker) => {
    accepted += 1
    const id = deterministicId('request', email, String(accepted))
    const traceparent = `00-${id.replaceAll('-', '')}-${id.slice(0, 8)}${id.slice(24, 32)}-01`
    const event = buildEvent({
      type: eventTypes.requestCreated,
      source: '/ingress',
      subject: `generic:${email}`,
      cause: [id],
      time: now(),
      chain: { correlation: id, traceparent, hops: 0 },
      data: { request_id: id },
    })
    await acceptRequest(database, {
      id,
      caller: by?.caller ?? email,
      speaker: by === undefined ? email : by.speaker,
      identity: `email:${email}`,
      channel: 'generic',
      channelMessage: null,
      idempotencyKey: null,
      bodyHash: 'test',
      requestType: 'message',
      content,
      metadata: {},
      context: {},
      target: { channel: 'generic', thread: null },
      traceparent,
      event: JSON.stringify(event),
      acceptedAt: now(),
      approval: null,
      button: by?.button ?? null,
    })
    return { id, event }
  }

  /** As a broker does: retries what may pass, gives up the rest to the keeper at once. */
  const deliverTo = async (consumer: keyof Pipeline['handlers'], event: Event): Promise<Event | null> => {
    let fault: Fault | undefined
    for (let attempt = 0; attempt <= retries; attempt += 1) {
      try {
        return await handlers[consumer](event, quiet)
      } catch (error) {
        fault = toFault(error)
        // A fault nobody foresaw is a bug, and a test should show its stack.
        if (fault.code === 'stage.failed') throw error
        if (fault.class !== 'retryable') break
      }
    }
    const answer = JSON.stringify({ code: fault?.code, detail: fault?.message })
    await handlers.keeper(
      {
        ...event,
        knativeerrordest: `http://${consumer}.self-service-agent.svc`,
        knativeerrorcode: fault?.status ?? 500,
        knativeerrordata: Buffer.from(answer).toString('base64'),
      },
      quiet,
    )
    return null
  }

  const deliver = async (...first: Event[]) => {
    queue.push(...first)
    for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
      events.push(event)
      for (const consumer of consumers[event.type] ?? []) {
        const reply = await deliverTo(consumer, event)
        if (reply !== null) queue.push(reply)
      }
    }
  }

  return {
    handlers,
    parts: agentParts,
    events,
    accept,
    deliver,
    receive: async (incoming) => {
      const published: Event[] = []
      const received = await receive(
        {
          ...{ database, now, messageLimit: 16_384, mostWaiting: 30, log: quiet.log },
          publish: async (event) => void published.push(event),
          newId: () => deterministicId('received', incoming.channel, incoming.message),
          randomBytes: (count) => new Uint8Array(count).fill(7),
        },
        incoming,
      )
      await deliver(...published)
      return received
    },
    now,
    pass: (milliseconds) => {
      time += milliseconds
    },
    say: async (email, content, by) => {
      const { id, event } = await accept(email, content, by)
      await deliver(event)
      const request = await findRequest(database, id)
      if (request === null) throw new Error(`request ${id} vanished`)
      return request
    },
  }
}
