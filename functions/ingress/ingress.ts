import { Hono } from 'hono'
import type { ObjectStore } from '../../shared/attachments/object-store.ts'
import { acceptWithAttachments } from '../../shared/attachments/rows.ts'
import type { Doors } from '../../shared/channels/doors.ts'
import { Fault } from '../../shared/errors/fault.ts'
import { toFault } from '../../shared/errors/to-fault.ts'
import type { Event } from '../../shared/events/event.ts'
import { readBearer } from '../../shared/identity/bearer.ts'
import { type Caller, hasScope } from '../../shared/identity/caller.ts'
import { faultPoint } from '../../shared/stage/fault-point.ts'
import type { DoorFunction } from '../../shared/stage/function.ts'
import { checkStore } from '../../shared/store/check.ts'
import type { Database } from '../../shared/store/connect.ts'
import { findAnswered, findRequest, type StoredRequest } from '../../shared/store/requests.ts'
import type { Log } from '../../shared/telemetry/log.ts'
import { listApprovals, listAwaited, takeDecision } from './approvals.ts'
import { giveAttachment, takeAttachment } from './attachments.ts'
import type { AcceptedBody, Finished } from './bodies.ts'
import { buildRequest } from './build-request.ts'
import { readDeadLetter, readDeadLetters, treatDeadLetters } from './dead-letters.ts'
import { toProblem } from './problem.ts'
import { readAtMost } from './read-at-most.ts'
import { readConversation } from './read-conversation.ts'
import { readJson } from './read-json.ts'
import { readPrefer, type Waiting } from './read-prefer.ts'
import { readQuestion } from './read-question.ts'
import { type AskRoute, type Route, routes } from './routes.ts'
import { createWatch } from './watch.ts'

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
  /** Where files go, and how many bytes one may have; null: this deployment takes none. */
  attachments?: { store: ObjectStore; limit: number } | null
  /** The channels that call this door; default none. */
  doors?: Doors
}

export interface Ingress extends DoorFunction {
  /** Ends the waiting of every caller with a 202, so that a process told to stop has nothing to wait for. */
  drain(): void
  /** How many callers wait for their answers. */
  waiting(): number
}

/** Milliseconds; the longest wait stays under the idle time of the load balancers in front. */
const longestWait = 60_000
const retryAfterSeconds = 2
/** Bytes that a channel may send at once: Slack's largest payload is a fraction of it. */
const channelBodyLimit = 1_048_576
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** The public door: who asks is verified, what they ask becomes a row and an event, and who waits gets the answer. */
export function createIngress(options: IngressOptions): Ingress {
  const { database, log, messageLimit = 16_384 } = options
  // JSON may spell each byte of a text as six; beside the text there is room for metadata and the channel's fields.
  const bodyLimit = messageLimit * 6 + 131_072
  const watch = createWatch({ find: (ids) => findAnswered(database, ids), log })
  let document: string | undefined
  const { now, newId, attachments = null } = options
  const files = { database, log, now, newId, attachments }

  /** Runs what a route does once its caller is known; the table says which routes have none. */
  const serve: Serve = async (route, request, id) => {
    if (route.kind === 'document') return await readDocument()
    const caller = await identify(request)
    if (route.who !== 'anyone' && route.who !== 'caller' && !hasScope(caller, route.who)) {
      throw new Fault('identity.forbidden', `this route takes the scope "${route.who}"`)
    }
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

  const identify = async (request: Request): Promise<Caller> =>
    await options.verify(readBearer(request.headers.get('authorization')))

  const ask = async (route: AskRoute, request: Request, caller: Caller): Promise<Response> => {
    const waiting = readPrefer(request.headers.get('prefer'), longestWait, longestWait)
    const { text, value } = await readJson(request, bodyLimit)
    const question = readQuestion(value, caller, { channel: route.channel, messageLimit })
    const { row, event } = buildRequest(question, {
      id: options.newId(),
      at: options.now(),
      caller: caller.subject,
      speaker: caller.kind === 'person' ? caller.email : null,
      headers: request.headers,
      path: route.path,
      text,
      randomBytes: options.randomBytes,
    })
    await faultPoint('ingress: before accept')
    const acceptance = await acceptWithAttachments(database, row, question.attachments)
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
      await attachments?.store.close()
      await options.doors?.close()
    },
    drain: () => watch.stop(),
    waiting: () => watch.count(),
  }
}

type Serve = (route: Exclude<Route, { kind: 'host' }>, request: Request, id: string) => Promise<Response>

/** The table of routes as an application: what it does not name is 404, another method is 405. */
function buildApp(serve: Serve, log: Log, doors: Doors | undefined): Hono {
  const app = new Hono()
  app.use(async (context, next) => {
    await next()
    for (const [name, value] of Object.entries(securityHeaders)) context.res.headers.set(name, value)
  })
  // Names before patterns, so that a GET of /requests/web is no request with the id "web".
  const paths = [...new Set(routes.map((route) => route.path))].sort(
    (a, b) => Number(isPattern(a)) - Number(isPattern(b)),
  )
  for (const path of paths) {
    const ofPath = routes.filter((route) => route.path === path)
    const pattern = path.replace('{id}', ':id')
    for (const route of ofPath) {
      if (route.kind === 'host') continue
      app.on(route.method, pattern, (context) => serve(route, context.req.raw, context.req.param('id') ?? ''))
    }
    const allow = ofPath.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ')
    app.all(pattern, () => toProblem(new Fault('request.method-not-allowed', `this route takes ${allow}`), { allow }))
  }
  for (const route of doors?.routes ?? []) {
    app.on(route.method, route.path, async ({ req: { raw } }) => {
      const { pathname, searchParams } = new URL(raw.url)
      const body = await readAtMost(raw, channelBodyLimit)
      const call = { method: raw.method, path: pathname, headers: raw.headers, query: searchParams, body }
      return await (doors?.answer(route, call) ?? toProblem(new Fault('request.not-found', 'no such channel')))
    })
  }
  app.notFound(() => toProblem(new Fault('request.not-found', 'there is no such route')))
  app.onError((error, context) => {
    const fault = toFault(error)
    if (fault.status >= 500) log.error('request refused', { code: fault.code, path: context.req.path, error })
    return toProblem(fault)
  })
  return app
}

function isPattern(path: string): boolean {
  return path.includes('{')
}

function known(id: string): string {
  if (uuid.test(id)) return id
  throw new Fault('request.not-found', 'this is no id')
}

/** Whoever asked, and the person whose question it is. Anybody else learns nothing, not even that it exists. */
function isTheirs(request: StoredRequest, caller: Caller): boolean {
  return request.caller === caller.subject || (caller.email !== null && request.identity === `email:${caller.email}`)
}

function isFinished(request: StoredRequest): boolean {
  return request.state === 'answered' || request.state === 'failed'
}

function finish(request: StoredRequest, applied: string | null = null): Response {
  const body: Finished = {
    request_id: request.id,
    session_id: request.session,
    status: request.state === 'failed' ? 'failed' : 'completed',
    response: request.response,
  }
  return Response.json(body, { headers: preferenceApplied(applied) })
}

function postpone(id: string, session: string | null, applied: string | null): Response {
  const body: AcceptedBody = { request_id: id, session_id: session, status: 'accepted' }
  const headers = {
    location: `/api/v1/requests/${id}`,
    'retry-after': String(retryAfterSeconds),
    ...preferenceApplied(applied),
  }
  return Response.json(body, { status: 202, headers })
}

function preferenceApplied(applied: string | null): Record<string, string> {
  return applied === null ? {} : { 'preference-applied': applied, vary: 'prefer' }
}
