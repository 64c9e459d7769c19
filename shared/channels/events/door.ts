import { Fault } from '../../errors/fault.ts'
import { deterministicId, type Event } from '../../events/event.ts'
import { readEvent } from '../../events/http.ts'
import type { Door, DoorCall, DoorParts } from '../channel.ts'
import { type Integration, sourceName } from './integration.ts'
import { type Keys, proveSource } from './keys.ts'
import { mapEvent } from './map-event.ts'

export interface EventsSettings {
  keys: Keys
  integrations: ReadonlyMap<string, Integration>
  /** Channels on which people can be answered, in the order in which they are tried. */
  channels: readonly string[]
}

type Parts = Pick<DoorParts, 'receive' | 'now' | 'log'>

/** Takes CloudEvents of enterprise systems (CloudEvents HTTP binding 1.0.2 and http-webhook 1.0.2). */
export function openEventsDoor(settings: EventsSettings, parts: Parts): Door {
  return {
    async answer(call) {
      const name = call.path.split('/').at(-1) ?? ''
      const known = sourceName.test(name) ? settings.integrations.get(name) : undefined
      return call.method === 'OPTIONS' ? agree(call, known) : await take(settings, parts, call, name, known)
    },
  }
}

async function take(
  settings: EventsSettings,
  parts: Parts,
  call: DoorCall,
  name: string,
  integration: Integration | undefined,
): Promise<Response> {
  const keys = integration === undefined ? undefined : settings.keys.get(name)
  proveSource(call, keys, { now: parts.now(), tokenInUrl: integration?.['token-in-url'] ?? false })
  if (integration === undefined) throw new Fault('channel.forged', 'there is no such source')
  const event = await readEventOf(call)
  const mapped = mapEvent(integration, event)
  if (mapped === null) {
    parts.log.info('an event became no message', { source: name, type: event.type, event: event.id })
    return new Response(null, { status: 204 })
  }
  await parts.receive({
    channel: 'events',
    // CloudEvents 1.0.2, "id": source and id together are one event, however often it is sent.
    message: `${name}:${deterministicId('event', event.source, event.id)}`,
    person: mapped.person,
    caller: `events:${name}`,
    own: false,
    text: mapped.text,
    thread: null,
    reach: settings.channels.filter((channel) => mapped.answer?.includes(channel) ?? true),
    context: { source: event.source, type: event.type, id: event.id },
    button: null,
    attachments: [],
  })
  return new Response(null, { status: 202 })
}

async function readEventOf(call: DoorCall): Promise<Event> {
  const headers = new Headers()
  for (const [name, value] of call.headers)
    if (name === 'content-type' || name.startsWith('ce-')) headers.set(name, value)
  const event = await readEvent(
    new Request('http://events.invalid/', { method: 'POST', headers, body: Buffer.from(call.body) }),
  )
  // CloudEvents 1.0.2, "Type System": a String has no control characters; Postgres takes not all of them.
  for (const name of ['id', 'source', 'type'] as const) {
    if (/[\p{Cc}\p{Cs}]/u.test(event[name])) throw new Fault('event.malformed', `a control character in ${name}`)
  }
  return event
}

/**
 * The handshake of a webhook (http-webhook 1.0.2, section 4): permission to send, and no more than that. Who may not
 * send learns as little as where there is no such source.
 */
function agree(call: DoorCall, integration: Integration | undefined): Response {
  const origin = call.headers.get('webhook-request-origin')
  const isKnown = integration?.origins.some((one) => one.toLowerCase() === origin?.toLowerCase())
  if (origin === null || !isKnown) return new Response(null, { status: 405, headers: { allow: 'POST' } })
  return new Response(null, {
    status: 200,
    headers: { allow: 'POST', 'webhook-allowed-origin': origin, 'webhook-allowed-rate': '*' },
  })
}
