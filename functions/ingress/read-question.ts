import { type ReadByAsker, readByAsker } from '../../shared/channels/read-by-asker.ts'
import { Fault } from '../../shared/errors/fault.ts'
import { type Caller, mayActFor } from '../../shared/identity/caller.ts'
import { bodies } from './bodies.ts'
import { cleanJson, isBlank } from './clean-json.ts'

/** What a caller asks, once it is known to be theirs to ask. */
export interface Question {
  channel: ReadByAsker
  /** Whose question it is. */
  email: string
  content: string
  requestType: string
  metadata: Record<string, unknown>
  /** The channel's own fields. */
  context: Record<string, unknown>
  /** Ids of files that were sent before. */
  attachments: string[]
  /** The approval whose button this is a press of; null: the words were typed. */
  button: string | null
  /** The webhook to which the answer is pushed, too. */
  replyTo: string | null
}

const metadataLimit = 32_768

/**
 * Reads a body by its channel's schema and decides whether this caller may ask so.
 * @throws Fault `request.malformed`, `request.too-large`, `identity.forbidden`.
 */
export function readQuestion(
  value: unknown,
  caller: Caller,
  options: { channel: ReadByAsker | null; messageLimit: number },
): Question {
  const body = asObject(cleanJson(value))
  const channel = channelOf(body['integration_type'], options.channel)
  if (channel === 'tool' && caller.kind !== 'service') {
    throw new Fault('identity.forbidden', 'only a caller with the scope "service" may use the channel tool')
  }
  const { user_id, content, request_type, metadata, attachments, button, replyTo, context } = parseBody(channel, body)
  if (isBlank(content)) throw new Fault('request.malformed', 'content: there is nothing to read in it')
  const size = Buffer.byteLength(content)
  if (size > options.messageLimit) {
    throw new Fault('request.too-large', `content has ${size} bytes, the limit is ${options.messageLimit}`)
  }
  for (const [name, kept] of Object.entries({ metadata, context })) {
    if (Buffer.byteLength(JSON.stringify(kept)) > metadataLimit) {
      throw new Fault('request.too-large', `${name} has more than ${metadataLimit} bytes`)
    }
  }
  const email = personOf(user_id, caller)
  return {
    ...{ channel, email, content, requestType: request_type, metadata, context, button, replyTo },
    attachments: distinct(attachments),
  }
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw new Fault('request.malformed', 'the body is not a JSON object')
}

function channelOf(type: unknown, ofRoute: ReadByAsker | null): ReadByAsker {
  if (type === undefined || type === null) return ofRoute ?? 'generic'
  const named = readByAsker.find((channel) => typeof type === 'string' && type.toLowerCase() === channel)
  if (named === undefined) throw new Fault('request.malformed', `integration_type: one of ${readByAsker.join(', ')}`)
  if (ofRoute !== null && named !== ofRoute) {
    throw new Fault('request.malformed', `integration_type: this route takes ${ofRoute}`)
  }
  return named
}

function parseBody(channel: ReadByAsker, body: Record<string, unknown>) {
  const parsed = bodies[channel].safeParse({ ...body, integration_type: channel })
  if (!parsed.success) {
    const reasons = parsed.error.issues
      .slice(0, 5)
      .map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`)
    throw new Fault('request.malformed', reasons.join('; '))
  }
  const { user_id, content, request_type, metadata, attachments, approval_id, reply_to, ...own } = parsed.data
  // The predecessor's session token is a secret without a use here; the channel has its own column.
  const left = new Set(['integration_type', 'session_token'])
  const context = Object.fromEntries(
    Object.entries(own).filter(([name, field]) => !left.has(name) && field !== null && field !== undefined),
  )
  return {
    ...{ user_id, content, request_type, metadata, attachments, context },
    button: approval_id?.toLowerCase() ?? null,
    replyTo: reply_to?.toLowerCase() ?? null,
  }
}

function distinct(ids: readonly string[]): string[] {
  return [...new Set(ids.map((id) => id.toLowerCase()))]
}

/**
 * Whom a caller acts for: themselves unless told otherwise.
 * @throws Fault `request.malformed`, `identity.forbidden`
 */
export function personOf(asked: string | null | undefined, caller: Caller): string {
  const email = asked ?? caller.email
  if (email === null) {
    throw new Fault('request.malformed', 'user_id: the token names no verified e-mail address, so it is needed')
  }
  if (!mayActFor(caller, email)) {
    throw new Fault('identity.forbidden', 'user_id is another person: that takes the scope "requests:act-for-others"')
  }
  return email
}
