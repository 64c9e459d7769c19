import { CloudEvent, HTTP, Mode } from 'cloudevents'
import { Fault } from '../errors/fault.ts'
import type { Event } from './event.ts'

/** 1 MiB: what Kafka's broker can carry at all (max.request.size). */
export const maxEventBytes = 1_048_576

const required = ['id', 'source', 'type'] as const
const attributeName = /^[a-z0-9]{1,64}$/

/**
 * Reads the one CloudEvent of an HTTP request, strictly (CloudEvents HTTP binding 1.0.2): binary or structured JSON.
 * @throws Fault of the `event.*` family, each a 4xx that says what is wrong; nothing unreadable is ever accepted.
 */
export async function readEvent(request: Request, limit = maxEventBytes): Promise<Event> {
  const mediaType = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  if (mediaType.startsWith('application/cloudevents-batch')) {
    throw new Fault('event.batch-refused', 'send one event a request')
  }
  const structured = mediaType.startsWith('application/cloudevents')
  if (structured && mediaType !== 'application/cloudevents+json') {
    throw new Fault('event.not-an-event', `structured mode is taken as application/cloudevents+json, not ${mediaType}`)
  }
  if (!structured && !request.headers.has('ce-specversion') && !request.headers.has('ce-type')) {
    throw new Fault('event.not-an-event', 'neither ce- headers nor application/cloudevents+json')
  }
  const body = await readBody(request, limit)
  return structured ? fromStructured(body) : fromBinary(request.headers, body, mediaType)
}

/** Reads at most `limit` bytes of a request as UTF-8. */
export async function readBody(request: Request, limit: number): Promise<string> {
  const declared = Number(request.headers.get('content-length') ?? '0')
  if (declared > limit) throw new Fault('event.too-large', `${declared} bytes, the limit is ${limit}`)
  if (request.body === null) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body) {
    size += chunk.byteLength
    if (size > limit) throw new Fault('event.too-large', `more than ${limit} bytes`)
    chunks.push(chunk)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch (cause) {
    throw new Fault('event.malformed', 'the body is not UTF-8', { cause })
  }
}

function fromStructured(body: string): Event {
  const value = parseJson(body)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Fault('event.malformed', 'a structured event is a JSON object')
  }
  const attributes: Record<string, unknown> = { ...value }
  if ('data' in attributes && 'data_base64' in attributes) {
    throw new Fault('event.malformed', 'an event has data or data_base64, not both')
  }
  return checked(attributes)
}

function fromBinary(headers: Headers, body: string, mediaType: string): Event {
  const attributes: Record<string, unknown> = {}
  headers.forEach((value, name) => {
    if (name.startsWith('ce-')) attributes[name.slice(3)] = decodeHeader(value)
  })
  if (mediaType !== '') attributes['datacontenttype'] = headers.get('content-type')
  if (body !== '') attributes['data'] = isJson(mediaType) ? parseJson(body) : body
  return checked(attributes)
}

function checked(attributes: Record<string, unknown>): Event {
  const version = attributes['specversion']
  if (version === undefined) throw new Fault('event.malformed', 'attribute specversion is missing')
  if (version !== '1.0') throw new Fault('event.unsupported-version', `specversion ${String(version).slice(0, 20)}`)
  for (const name of required) {
    const value = attributes[name]
    if (typeof value !== 'string' || value === '') throw new Fault('event.malformed', `attribute ${name} is missing`)
  }
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'data' || name === 'data_base64') continue
    if (!attributeName.test(name)) throw new Fault('event.malformed', `"${name.slice(0, 80)}" is no attribute name`)
    if (typeof value === 'object' && value !== null)
      throw new Fault('event.malformed', `attribute ${name} is no scalar`)
    if (typeof value === 'string' && value.length > 4096)
      throw new Fault('event.malformed', `attribute ${name} is too long`)
  }
  const time = attributes['time']
  if (time !== undefined && (typeof time !== 'string' || Number.isNaN(Date.parse(time)))) {
    throw new Fault('event.malformed', 'attribute time is no RFC 3339 timestamp')
  }
  return attributes as Event
}

/**
 * An event as an HTTP message in binary mode, by the maintainers' SDK. The bytes depend on the event alone, so a stored
 * event is answered the same on every redelivery.
 */
export function writeEvent(event: Event, mode: Mode = Mode.BINARY): { headers: Record<string, string>; body: string } {
  const { data, ...attributes } = event
  const message = HTTP[mode === Mode.BINARY ? 'binary' : 'structured'](new CloudEvent({ ...attributes, data }, false))
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers[name.toLowerCase()] = String(value)
  }
  return { headers, body: message.body === undefined ? '' : String(message.body) }
}

function isJson(mediaType: string): boolean {
  return mediaType === '' || mediaType === 'application/json' || mediaType.endsWith('+json')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Fault('event.malformed', 'the body is not JSON', { cause })
  }
}

/** Header values are percent-encoded UTF-8 (HTTP binding, section 3.1.3.2); a sender that does not encode is tolerated. */
function decodeHeader(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
