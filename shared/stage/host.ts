import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { CloudEvent } from 'cloudevents'
import { Hono } from 'hono'
import { catalogue } from '../errors/catalogue.ts'
import { Fault } from '../errors/fault.ts'
import { toFault } from '../errors/to-fault.ts'
import type { Event } from '../events/event.ts'
import { maxEventBytes, readEvent, writeEvent } from '../events/http.ts'
import type { Log } from '../telemetry/log.ts'
import { faultPoint } from './fault-point.ts'
import type { Context, DoorFunction, HostedFunction, StageFunction } from './function.ts'

export interface HostOptions {
  /** The function's name, as fault points show it. */
  name?: string
  /** TCP port; 0 takes a free one. Default: PORT, then FUNC_PORT, then 8080. */
  port?: number
  /** Address to listen on; default all. */
  hostname?: string
  /** Largest event in bytes; default 1 MiB. */
  bodyLimit?: number
  /** Milliseconds that requests in flight get after SIGTERM before their calls are aborted; default 20,000. */
  drainMs?: number
  livenessPath?: string
  readinessPath?: string
  log: Log
}

export interface Host {
  port: number
  /** Refuses new events, waits for those in flight, runs the function's shutdown. Safe to call twice. */
  close(): Promise<void>
}

/**
 * Hosts a function as the Knative TypeScript runtime does (POST /, the two health paths), but strictly: what it cannot
 * read it refuses with a 4xx that says why, poison is 422, a fault that may pass is 503 or 429, and nothing is cut
 * short when the process is told to stop.
 */
export async function host(hosted: HostedFunction, options: HostOptions): Promise<Host> {
  await hosted.init?.()
  const stopping = new AbortController()
  const draining = new AbortController()
  let inFlight = 0
  let idle: () => void = () => {}
  const app = routes(hosted, options, { signal: stopping.signal, draining: draining.signal })

  const listener = getRequestListener(app.fetch)
  const server = createServer((request, response) => {
    inFlight += 1
    if (draining.signal.aborted) response.setHeader('connection', 'close')
    response.once('close', () => {
      inFlight -= 1
      if (inFlight === 0) idle()
    })
    void listener(request, response)
  })
  // A broker reuses its connections; a longer life than its own pause between events avoids resets in between.
  server.keepAliveTimeout = 72_000
  const port = await listen(server, options.port ?? 8080, options.hostname)

  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    draining.abort(new Fault('stage.draining', 'shutting down'))
    server.close()
    server.closeIdleConnections()
    hosted.drain?.()
    if (inFlight > 0) {
      const timer = setTimeout(
        () => stopping.abort(new Fault('stage.draining', 'drain time is over')),
        options.drainMs ?? 20_000,
      )
      await new Promise<void>((resolve) => {
        idle = resolve
      })
      clearTimeout(timer)
    }
    server.closeAllConnections()
    await hosted.shutdown?.()
  }
  return {
    port,
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

type Signals = Required<Pick<Context, 'signal' | 'draining'>>

function routes(hosted: HostedFunction, options: HostOptions, signals: Signals) {
  const { draining } = signals
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.use(async (context, next) => {
    await next()
    if (context.req.method === 'POST' && (await faultPoint(`${options.name}: before reply`)))
      context.env.outgoing.destroy()
  })
  app.get(options.livenessPath ?? '/health/liveness', () => health(hosted.liveness?.bind(hosted)))
  app.get(options.readinessPath ?? '/health/readiness', () =>
    draining.aborted ? refuse(new Fault('stage.draining', 'shutting down')) : health(hosted.readiness?.bind(hosted)),
  )
  if (isDoor(hosted)) {
    app.all('*', (context) => hosted.fetch(context.req.raw))
    return app
  }
  app.post('/', async (context) => {
    if (draining.aborted) return refuse(new Fault('stage.draining', 'shutting down'))
    return answer(hosted, context.req.raw, options, signals)
  })
  app.all('/', () => new Response(null, { status: 405, headers: { allow: 'POST' } }))
  return app
}

async function answer(
  stage: StageFunction,
  request: Request,
  options: HostOptions,
  signals: Signals,
): Promise<Response> {
  let event: Event | undefined
  try {
    event = await readEvent(request, options.bodyLimit ?? maxEventBytes)
    const reply = await stage.handle({ log: options.log, ...signals }, new CloudEvent({ ...event }, false))
    if (reply === undefined) return new Response(null, { status: 204 })
    const message = writeEvent(reply.toJSON() as Event)
    return new Response(message.body, { status: 200, headers: message.headers })
  } catch (error) {
    const fault = toFault(error)
    const level = fault.class === 'retryable' && fault.status !== 500 ? 'info' : 'error'
    options.log[level]('event refused', {
      code: fault.code,
      detail: fault.message,
      type: event?.type,
      id: event?.id,
      correlationid: event?.['correlationid'],
      ...(fault.code === 'stage.failed' ? { error } : {}),
    })
    return refuse(fault)
  }
}

/** A fault as problem+json (RFC 9457); the broker passes the first 1,024 bytes of it on to the dead letter sink. */
function refuse(fault: Fault): Response {
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' }
  if (fault.retryAfter !== undefined) headers['retry-after'] = String(Math.ceil(fault.retryAfter))
  const body = {
    title: catalogue[fault.code].title,
    status: fault.status,
    code: fault.code,
    detail: fault.message.slice(0, 500),
  }
  return new Response(JSON.stringify(body), { status: fault.status, headers })
}

async function health(check: (() => Promise<void>) | undefined): Promise<Response> {
  try {
    await check?.()
    return new Response('OK', { status: 200 })
  } catch (error) {
    return refuse(toFault(error))
  }
}

function isDoor(hosted: HostedFunction): hosted is DoorFunction {
  return 'fetch' in hosted
}

function listen(server: Server, port: number, hostname: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, hostname, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}
