import type { Offer } from '../flow/index.ts'
import type { Database } from '../store/connect.ts'
import type { Log } from '../telemetry/log.ts'
import type { Incoming, Received } from './receive.ts'

/**
 * A way by which employees talk to the agent. Each is one folder beside this file; shared/channels/registry.ts lists
 * them. This object is read by every function at its start, so it holds no code but `import()`.
 */
export interface Channel {
  /** As it stands in requests and deliveries. */
  name: string
  /** True where this deployment has what the channel needs. */
  configured(environment: Environment): boolean
  /** Names of all settings that each part sees, so that a function is given no secret of another; left out: it sees all. */
  reads?: { door?: readonly string[]; sender?: readonly string[]; mailbox?: readonly string[] }
  /** False where nobody listens: dispatch knows nothing of it, and nothing is ever sent there. */
  sends?: false
  /** Its routes at the public door; absent: it has none. */
  routes?: readonly DoorRoute[]
  /** Verify, then message in. Absent: it has no routes. */
  openDoor?(environment: Environment, parts: DoorParts): Promise<Door>
  /** The thread in which a person with these identities is reached unasked; null: nowhere. Absent: nobody ever is. */
  reach?(identities: readonly string[]): string | null
  /** Answer, then delivery out. */
  openSender(environment: Environment, parts: SenderParts): Promise<Sender>
  /** Fetches what came, at a tick of the name `mail`; absent: the channel calls us. */
  openMailbox?(environment: Environment, parts: DoorParts): Promise<Mailbox>
}

export type Environment = Readonly<Record<string, string | undefined>>

/** One route of a channel, for the table of routes and the OpenAPI document. */
export interface DoorRoute {
  method: 'GET' | 'POST' | 'OPTIONS'
  path: `/channels/${string}`
  /** What proves to the route who calls, and the header that carries it; null: anyone may, because it does nothing. */
  proof: { header: string; meaning: string } | null
  summary: string
}

/** What a door is called with: the body as bytes, because signatures are over bytes. */
export interface DoorCall {
  method: string
  path: string
  headers: Headers
  query: URLSearchParams
  body: Uint8Array
}

export interface DoorParts {
  /** Takes a message whose sender has been verified. */
  receive(incoming: Incoming): Promise<Received>
  database: Database
  now(): Date
  randomBytes(count: number): Uint8Array
  fetch: typeof fetch
  log: Log
}

export interface Door {
  /**
   * Verifies a call and takes what it brings; the answer is what the channel expects, within its time.
   * @throws Fault `channel.forged`, `channel.replayed`, `request.malformed`; whatever `receive` throws
   */
  answer(call: DoorCall): Promise<Response>
  close?(): Promise<void>
}

export interface Mailbox {
  /** Takes everything that is new, in its order, until `signal` aborts; the next tick goes on. */
  fetch(signal: AbortSignal): Promise<{ taken: number }>
}

/** What a channel can show; what it cannot, its sender says in words. */
export interface Capabilities {
  buttons: boolean
  threads: boolean
  /** The most characters of one message; a longer answer becomes several. */
  longest: number
  markup: 'mrkdwn' | 'html' | 'plain'
}

/** An answer on its way to one place. */
export interface Outgoing {
  /** The same for every try of this delivery: what a channel recognises a second one by. */
  id: string
  /** The address of the person who reads it. */
  person: string
  thread: string | null
  /** As agents write: paragraphs, lists, **bold**, [1] references. Never markup of the channel's own. */
  text: string
  offer: Offer | null
  /** The message that this answers, as its channel told of it; null: a copy, or moved here from another channel. */
  origin: { message: string | null; context: Record<string, unknown> } | null
  session: string
  turn: string
  agent: string
}

export interface SenderParts {
  database: Database
  now(): Date
  fetch: typeof fetch
  log: Log
}

export interface Sender {
  capabilities: Capabilities
  /**
   * Delivers, and gives the channel's own id of what was sent.
   * @throws Fault `delivery.unavailable` (nothing was sent; with `retryAfter` where the channel says), `delivery.refused`
   * (never will be), `delivery.unknown` (may have been)
   */
  send(outgoing: Outgoing, signal: AbortSignal): Promise<string>
  /** What an earlier try of this delivery sent, or null where it certainly did not. Absent: it cannot be asked. */
  find?(outgoing: Outgoing, signal: AbortSignal): Promise<string | null>
  close?(): Promise<void>
}
