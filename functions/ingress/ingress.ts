import { mediaTypes } from '../../shared/attachments/media-types.ts'
import type { ObjectStore } from '../../shared/attachments/object-store.ts'
import { acceptWithAttachments } from '../../shared/attachments/rows.ts'
import type { Doors } from '../../shared/channels/doors.ts'
import { Fault } from '../../shared/errors/fault.ts'
import type { Event } from '../../shared/events/event.ts'
import { isApiKey, verifyApiKey } from '../../shared/identity/api-key.ts'
import type { Caller } from '../../shared/identity/caller.ts'
import type { Environment } from '../../shared/settings/environment.ts'
import { faultPoint } from '../../shared/stage/fault-point.ts'
import type { DoorFunction } from '../../shared/stage/function.ts'
import { checkStore } from '../../shared/store/check.ts'
import type { Database } from '../../shared/store/connect.ts'
import { findAnswered, findRequest, type StoredRequest } from '../../shared/store/requests.ts'
import type { Log } from '../../shared/telemetry/log.ts'
import { listApprovals, listAwaited, takeDecision } from './approvals.ts'
import { giveAttachment, takeAttachment } from './attachments.ts'
import { buildApp, type Serve } from './build-app.ts'
import { buildRequest } from './build-request.ts'
import { readDeadLetter, readDeadLetters, treatDeadLetters } from './dead-letters.ts'
import { createEventStreams } from './events.ts'
import { finish, isFinished, postpone } from './finish.ts'
import { identify } from './identify.ts'
import { createIdentityDesk, requireWho } from './identity.ts'
import type { ReachingChannel } from './me.ts'
import { readConversation } from './read-conversation.ts'
import { readJson } from './read-json.ts'
import { readPrefer, type Waiting } from './read-prefer.ts'
import { readQuestion } from './read-question.ts'
import { createRecordsDesk } from './records.ts'
import { isOfRecords } from './records-routes.ts'
import { type AskRoute, isOfIdentity, isOfPage } from './routes.ts'
import { createWatch } from './watch.ts'
import type { SignInParts } from './web/sign-in.ts'
import { createWeb } from './web/web.ts'
import { createWebhookDesk } from './webhooks.ts'

export interface IngressOptions {
  database: Database
  /** Hands an event to the broker; rejects where the broker did not take it. */
  publish(event: Event): Promise<void>
  /** Rejects while the broker takes nothing. */
  brokerReady(): Promise<void>
  /** Who holds this token; rejects with a Fault of the `identity.*` family. */
  verify(token: string): Promise<Caller>
  now(): Date
  newId(): string
  randomBytes(count: number): Uint8Array
  log: Log
  /** Bytes of text that one message may have; default 16 KiB. */
  messageLimit?: number
  /** Messages of one person that may wait for their answers on one channel; default 30. */
  mostWaiting?: number
  /** The channels on which this deployment reaches people; default none. */
  channels?: readonly ReachingChannel[]
  /** Where files go, and how many bytes one may have; null: this deployment takes none. */
  attachments?: { store: ObjectStore; limit: number } | null
  /** The channels that call this door; default none. */
  doors?: Doors
  /** WEBHOOK_SIGNING_KEY and the others (shared/channels/webhook); default: nothing is pushed. */
  webhooks?: Environment
  /** The page's sign-in; default: there is no page. */
  web?: Omit<SignInParts, 'now' | 'randomBytes' | 'log'> | null
}

export interface Ingress extends DoorFunction {
  /** Ends the waiting of every caller with a 202, so that a process told to stop has nothing to wait for. */
  drain(): void
  /** How many callers wait for their answers. */
  waiting(): number
}

/** Milliseconds; the longest wait stays under the idle time of the load balancers in front. */
const longestWait = 60_000
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The public door: who asks is verified, what they ask becomes a row and an event, and who waits gets the answer. */
export function createIngress(options: IngressOptions): Ingress {
  const { database, log, messageLimit = 16_384, mostWaiting = 30, channels = [] } = options
  // JSON may spell each byte of a text as six; beside the text there is room for metadata and the channel's fields.
  const bodyLimit = messageLimit * 6 + 131_072
  const watch = createWatch({ find: (ids) => findAnswered(database, ids), log })
  let document: string | undefined
  const { now, newId, attachments = null } = options
  const files = { database, log, now, newId, attachments }
  const webhooks = createWebhookDesk({ database, now, newId, environment: options.webhooks ?? {} })
  const { randomBytes } = options
  const identity = createIdentityDesk({ database, now, newId, randomBytes, channels })
  const records = createRecordsDesk({ database, now, deleteObject: attachments?.store.delete })
  const verify = async (token: string) =>
    isApiKey(token) ? await verifyApiKey(database, token, now()) : await options.verify(token)
  const web = createWeb(options.web ? { ...options.web, now, randomBytes, log } : null)
  const streams = createEventStreams({
    ...{ database, now, log, messageLimit },
    files: attachments === null ? null : { limit: attachments.limit, types: mediaTypes },
  })

  /** Runs what a route does once its caller is known; the table says which routes have none. */
  const serve: Serve = async (route, request, id) => {
    if (route.kind === 'document') return await readDocument()
    if (isOfPage(route)) return await web.answer(route.kind, request, id)
    const caller = await identify(route, request, { verify, person: web.person })
    requireWho(route, caller)
    if (isOfIdentity(route)) {
      const read = async () => (await readJson(request, bodyLimit)).value
      return await identity(route.kind, { caller, request, named: id, read, id: () => known(id) })
    }
    if (isOfRecords(route)) return await records(route.kind, { caller, request, id: () => known(id) })
    switch (route.kind) {
      case 'ask':
        return await ask(route, request, caller)
      case 'request':
        return await readRequest(request, caller, id)
      case 'conversation':
        return await readConversation(database, request, caller, { id: known(id), now: options.now() })
      case 'attach':
        return await takeAttachment(files, request, caller)
      case 'attachment':
        return await giveAttachment(files, request, caller, known(id))
      case 'dead-letters':
        return await readDeadLetters(database, request)
      case 'dead-letter':
        return await readDeadLetter(database, known(id))
      case 'treat': {
        const { value } = await readJson(request, bodyLimit)
        return await treatDeadLetters(database, options.publish, { value, caller, now: options.now() })
      }
      case 'approvals':
        return await listApprovals(database, caller, options.now())
      case 'awaited':
        return await listAwaited(database, caller)
      case 'webhooks':
        return await webhooks.list(caller)
      case 'register-webhook':
        return await webhooks.register(caller, (await readJson(request, bodyLimit)).value)
      case 'rotate-webhook':
        return await webhooks.rotate(caller, known(id))
      case 'remove-webhook':
        return await webhooks.remove(caller, known(id))
      case 'events':
        return streams.open(request, caller)
      case 'decide': {
        const { value } = await readJson(request, bodyLimit)
        return await takeDecision(database, publish, { id: known(id), value, caller, now: options.now() })
      }
    }
  }

  /** Loaded when somebody asks for it: starting up does without. */
  const readDocument = async (): Promise<Response> => {
    const { describeApi } = await import('./openapi.ts')
    document ??= JSON.stringify(describeApi())
    return new Response(document, { headers: { 'content-type': 'application/json' } })
  }

  const ask = async (route: AskRoute, request: Request, caller: Caller): Promise<Response> => {
    const waiting = readPrefer(request.headers.get('prefer'), longestWait, longestWait)
    const { text, value } = await readJson(request, bodyLimit)
    const question = readQuestion(value, caller, { channel: route.channel, messageLimit })
    if (question.replyTo !== null) await webhooks.checkReplyTo(caller, question.replyTo)
    const { row, event } = buildRequest(question, {
      id: options.newId(),
      at: options.now(),
      caller: caller.subject,
      speaker: caller.kind === 'person' ? caller.email : null,
      headers: request.headers,
      path: route.path,
      text,
      randomBytes,
    })
    await faultPoint('ingress: before accept')
    const acceptance = await acceptWithAttachments(database, row, question.attachments, mostWaiting)
    await faultPoint('ingress: after accept')
    if (acceptance.outcome === 'created') {
      log.info('request accepted', { request: row.id, channel: row.channel, traceparent: row.traceparent })
      return await publishAndWait({ id: row.id, session: null }, event, waiting, request.signal)
    }
    const earlier = acceptance.request
    if (acceptance.outcome === 'mismatched') {
      throw new Fault('request.idempotency-mismatch', 'the key belongs to an earlier request with another body')
    }
    if (isFinished(earlier)) return finish(earlier)
    // Nobody knows whether the first try got as far as the broker; the event's id makes a second one harmless.
    const unsent = earlier.state === 'accepted' ? (JSON.parse(earlier.event) as Event) : null
    return await publishAndWait(earlier, unsent, waiting, request.signal)
  }

  /** Both at once: the answer may be there before the broker has said that it took the event. */
  const publishAndWait = async (
    asked: Pick<StoredRequest, 'id' | 'session'>,
    event: Event | null,
    waiting: Waiting,
    signal: AbortSignal,
  ): Promise<Response> => {
    const [answered] = await Promise.all([
      watch.wait(asked.id, waiting.ms, signal),
      event === null ? undefined : publish(asked.id, event),
    ])
    if (answered !== null) return finish(answered, waiting.applied)
    const latest = waiting.ms > 0 && !signal.aborted ? await lookOnceMore(asked.id) : null
    if (latest !== null && isFinished(latest)) return finish(latest, waiting.applied)
    return postpone(asked.id, latest?.session ?? asked.session, waiting.applied)
  }

  const publish = async (id: string, event: Event): Promise<void> => {
    try {
      await faultPoint('ingress: before publish')
      await options.publish(event)
      await faultPoint('ingress: after publish')
    } catch (error) {
      log.warn('the broker did not take the event; the row is kept and the repair tick publishes it', {
        request: id,
        event: event.id,
        error,
      })
    }
  }

  /** The request is accepted whatever happens here, so a store that fails now costs only the session's id. */
  const lookOnceMore = async (id: string): Promise<StoredRequest | null> => {
    try {
      return await findRequest(database, id)
    } catch (error) {
      log.warn('the state of an accepted request cannot be read', { request: id, error })
      return null
    }
  }

  const readRequest = async (request: Request, caller: Caller, id: string): Promise<Response> => {
    const found = await findRequest(database, known(id))
    if (found === null || !isTheirs(found, caller))
      throw new Fault('request.not-found', 'no request of yours has this id')
    if (isFinished(found)) return finish(found)
    return await publishAndWait(found, null, readPrefer(request.headers.get('prefer'), 0, longestWait), request.signal)
  }

  const app = buildApp(serve, log, options.doors)
  return {
    fetch: (request) => app.fetch(request),
    async readiness() {
      await Promise.all([checkStore(database), options.brokerReady()])
    },
    async shutdown() {
      watch.stop()
      streams.stop()
      await attachments?.store.close()
      await options.doors?.close()
    },
    drain() {
      watch.stop()
      streams.stop()
    },
    waiting: () => watch.count(),
  }
}

function known(id: string): string {
  if (uuid.test(id)) return id
  throw new Fault('request.not-found', 'this is no id')
}

/** Whoever asked, and the person whose question it is. Anybody else learns nothing, not even that it exists. */
function isTheirs(request: StoredRequest, caller: Caller): boolean {
  return request.caller === caller.subject || (caller.email !== null && request.identity === `email:${caller.email}`)
}
