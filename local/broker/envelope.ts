import { Fault } from '../../shared/errors/fault.ts'

/**
 * An event as a broker carries it: attributes that it reads, data that it doesn't. The data's bytes leave as they came
 * (data-plane.md: identical to how they were received), which is why the stages' own reader, which parses JSON, is not
 * used here.
 */
export interface Envelope {
  /** Every attribute as text, `datacontenttype` among them; extension values in their canonical string form. */
  attributes: Record<string, string>
  body: Buffer
}

/** Headers with lower-case names, one value each. */
export type HeaderMap = Readonly<Record<string, string | undefined>>

const attributeName = /^[a-z0-9]{1,64}$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are what an attribute may not hold.
const forbidden = /[\u0000-\u001f\u007f-\u009f]/
const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

/** All attributes together: a delivery's headers must stay under the 16 KiB that Node takes, dead letter's ones included. */
const maxAttributeLength = 12_000

type Encoding = 'binary' | 'structured' | 'batch' | 'none'

/** How an HTTP message carries an event, by its headers alone (CloudEvents HTTP binding 1.0.2, section 3). */
export function encodingOf(headers: HeaderMap): Encoding {
  const type = mediaType(headers['content-type'])
  if (type.startsWith('application/cloudevents-batch')) return 'batch'
  if (type.startsWith('application/cloudevents')) return 'structured'
  return headers['ce-specversion'] === undefined ? 'none' : 'binary'
}

/**
 * Reads the one event of an HTTP request or answer.
 * @throws Fault `event.*` where there is none, or one that CloudEvents 1.0 forbids. specversion 0.3, which Knative's
 *   brokers take too, is refused: no stage of this system reads it.
 */
export function readEnvelope(headers: HeaderMap, body: Buffer): Envelope {
  switch (encodingOf(headers)) {
    case 'batch':
      throw new Fault('event.batch-refused', 'send one event a request')
    case 'none':
      throw new Fault('event.not-an-event', 'neither ce-specversion nor application/cloudevents+json')
    case 'structured':
      return fromStructured(headers, body)
    case 'binary':
      return fromBinary(headers, body)
  }
}

function fromBinary(headers: HeaderMap, body: Buffer): Envelope {
  const attributes: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && name.startsWith('ce-')) attributes[name.slice(3)] = decode(value)
  }
  delete attributes['datacontenttype']
  const contentType = headers['content-type']
  if (contentType !== undefined && contentType !== '') attributes['datacontenttype'] = contentType
  return { attributes: checked(attributes), body }
}

function fromStructured(headers: HeaderMap, body: Buffer): Envelope {
  if (mediaType(headers['content-type']) !== 'application/cloudevents+json') {
    throw new Fault('event.not-an-event', 'the only event format taken is JSON')
  }
  const value = parseObject(body)
  const attributes: Record<string, string> = {}
  for (const [name, member] of Object.entries(value)) {
    if (name === 'data' || name === 'data_base64' || member === null) continue
    attributes[name] = attributeText(name, member)
  }
  const { data, data_base64: base64 } = value
  if (base64 !== undefined) {
    if (data !== undefined) throw new Fault('event.malformed', 'an event has data or data_base64, not both')
    if (typeof base64 !== 'string') throw new Fault('event.malformed', 'data_base64 is no string')
    return { attributes: checked(attributes), body: Buffer.from(base64, 'base64') }
  }
  if (data === undefined) return { attributes: checked(attributes), body: Buffer.alloc(0) }
  const type = attributes['datacontenttype'] ?? 'application/json'
  attributes['datacontenttype'] = type
  const text = typeof data === 'string' && !isJson(type) ? data : JSON.stringify(data)
  return { attributes: checked(attributes), body: Buffer.from(text) }
}

/** JSON.parse with numbers kept as they were written, so that no data loses digits on its way through. */
function parseObject(body: Buffer): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body), keepNumber)
  } catch (cause) {
    throw new Fault('event.malformed', 'the body is not JSON in UTF-8', { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Fault('event.malformed', 'a structured event is a JSON object')
  }
  return { ...value }
}

const { rawJSON } = JSON as typeof JSON & { rawJSON(text: string): { rawJSON: string } }

function keepNumber(this: unknown, _key: string, value: unknown, ...rest: unknown[]): unknown {
  if (typeof value !== 'number') return value
  const context: unknown = rest[0]
  if (typeof context !== 'object' || context === null || !('source' in context)) return value
  return typeof context.source === 'string' && context.source !== String(value) ? rawJSON(context.source) : value
}

function attributeText(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number' && Number.isInteger(value)) return String(value)
  throw new Fault('event.malformed', `attribute ${name.slice(0, 80)} is no string, integer or boolean`)
}

function checked(attributes: Record<string, string>): Record<string, string> {
  const version = attributes['specversion']
  if (version === undefined) throw new Fault('event.malformed', 'attribute specversion is missing')
  if (version !== '1.0') throw new Fault('event.unsupported-version', `specversion ${version.slice(0, 20)}`)
  for (const name of ['id', 'source', 'type']) {
    if ((attributes[name] ?? '') === '') throw new Fault('event.malformed', `attribute ${name} is missing`)
  }
  for (const [name, value] of Object.entries(attributes)) {
    if (!attributeName.test(name) || name === 'data') {
      throw new Fault('event.malformed', `"${name.slice(0, 80)}" is no attribute name`)
    }
    if (forbidden.test(value) || !value.isWellFormed()) {
      throw new Fault('event.malformed', `attribute ${name} holds a control character`)
    }
  }
  const size = Object.entries(attributes).reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  if (size > maxAttributeLength)
    throw new Fault('event.malformed', `attributes of more than ${maxAttributeLength} characters`)
  const type = attributes['datacontenttype'] ?? ''
  if (!/^[\x20-\x7e]*$/.test(type)) throw new Fault('event.malformed', 'attribute datacontenttype is not ASCII')
  const time = attributes['time']
  if (time !== undefined && (!rfc3339.test(time) || Number.isNaN(Date.parse(time)))) {
    throw new Fault('event.malformed', 'attribute time is no RFC 3339 timestamp')
  }
  return attributes
}

/** An event in binary mode: its headers and, as it came, its data. */
export function binaryHeaders(envelope: Envelope): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(envelope.attributes)) {
    if (name === 'datacontenttype') headers['content-type'] = value
    else headers[`ce-${name}`] = encode(value)
  }
  return headers
}

/**
 * Percent-encodes what a header can't carry and the percent sign itself (HTTP binding, section 3.1.3.2); spaces and
 * quotes stay, which every reader takes alike and Knative's own brokers leave as well.
 */
function encode(value: string): string {
  return value.replaceAll(/[^\x20-\x7e]+|%/g, encodeURIComponent)
}

/** A sender that encodes nothing is tolerated: a stray percent sign, or UTF-8 bytes that Node hands over as Latin-1. */
function decode(value: string): string {
  try {
    if (value.includes('%')) return decodeURIComponent(value)
  } catch {
    return value
  }
  if (!/[\x80-\xff]/.test(value)) return value
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'))
  } catch {
    return value
  }
}

function isJson(contentType: string): boolean {
  const type = mediaType(contentType)
  return type === 'application/json' || type.endsWith('+json')
}

function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}
