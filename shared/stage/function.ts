import { CloudEvent } from 'cloudevents'
import type { Event } from '../events/event.ts'
import type { Log } from '../telemetry/log.ts'

/**
 * What the host gives a handler with each event. The names are those of the Knative TypeScript runtime, whose own
 * context has many more fields; ours adds two signals.
 */
export interface Context {
  log: Log
  /** Aborts when the process must stop. */
  signal?: AbortSignal
  /** Aborts when the process is told to stop: who works may finish, who only waits goes. */
  draining?: AbortSignal
}

interface Lifecycle {
  /** Runs before the server listens; a rejection ends the process. */
  init?(): Promise<void>
  /** Runs when the process is told to stop, before the requests in flight are waited for: time to answer those that only wait. */
  drain?(): void
  /** Runs after the last request was answered. */
  shutdown?(): Promise<void>
  /** Rejects while the process should be restarted. */
  liveness?(): Promise<void>
  /** Rejects while the function cannot do its work. */
  readiness?(): Promise<void>
}

/** A function that takes CloudEvents: the interface of the Knative TypeScript runtime. */
export interface StageFunction extends Lifecycle {
  handle(context: Context, event: CloudEvent<unknown>): Promise<CloudEvent<unknown> | undefined>
}

/** A function with HTTP routes of its own: the public door, the MCP server. */
export interface DoorFunction extends Lifecycle {
  fetch(request: Request): Promise<Response> | Response
}

export type HostedFunction = StageFunction | DoorFunction

/** What a stage's code is written as: a plain event in, a plain event or nothing out. */
export type EventHandler = (event: Event, context: Context) => Promise<Event | null>

/** Makes the runtime's `handle` of an event handler, so that a function runs under either host. */
export function toHandle(handler: EventHandler): StageFunction['handle'] {
  return async (context, event) => {
    const reply = await handler(event.toJSON() as Event, context)
    return reply === null ? undefined : new CloudEvent({ ...reply }, false)
  }
}
