import { Hono } from 'hono'
import { Fault } from '../../shared/errors/fault.ts'
import { maxEventBytes } from '../../shared/events/http.ts'
import type { Mode } from './back-off.ts'
import type { Clock } from './clock.ts'
import type { Dispatcher } from './dispatcher.ts'
import { type Envelope, readEnvelope } from './envelope.ts'
import { enter } from './hops.ts'
import type { Broker } from './model.ts'
import { passedThrough } from './outcome.ts'

export interface IngressParts {
  mode: Mode
  brokers: Broker[]
  dispatcher: Dispatcher
  clock: Clock
  /** Resolves while Postgres accepts work. */
  check(): Promise<void>
  log(line: Record<string, unknown>): void
}

/**
 * The broker's door: `POST /<namespace>/<broker>` with the answers of the broker imitated (reference: ingress_handler.go
 * for the channel broker, ReceiverVerticle for Kafka's), `GET /status`, and the two health paths. An event is answered
 * 202 only after it is durable.
 */
export function createIngress(parts: IngressParts): Hono {
  const { mode, clock } = parts
  const app = new Hono()

  app.get('/health/liveness', (context) => context.text('OK'))
  app.get('/health/readiness', async (context) => {
    try {
      await parts.check()
      return context.text('OK')
    } catch {
      return context.text('Postgres does not accept work', 503)
    }
  })
  app.get('/status', (context) => context.json({ mode, triggers: parts.dispatcher.status() }))

  app.all('*', async (context) => {
    const { method, path } = context.req
    if (method === 'OPTIONS' && mode === 'channel') {
      return context.body(null, 200, {
        allow: 'POST, OPTIONS',
        'webhook-allowed-origin': '*',
        'webhook-allowed-rate': '*',
      })
    }
    if (method !== 'POST') {
      return context.text('An event is sent with POST', 405, { allow: mode === 'channel' ? 'POST, OPTIONS' : 'POST' })
    }
    const segments = path.replace(/\/$/, '').split('/')
    const [, namespace = '', name = ''] = segments
    const isPath = segments.length === 3
    const broker = parts.brokers.find((one) => isPath && one.namespace === namespace && one.name === name)
    if (mode === 'channel' && path !== '/' && !isPath) return context.text('No path to a broker', 400)
    // Kafka's broker knows its paths before it reads; the channel broker reads the event first.
    if (path === '/' || (mode === 'kafka' && broker === undefined)) return context.text('No such broker', 404)
    const headers = Object.fromEntries(context.req.raw.headers)
    let envelope: Envelope
    try {
      envelope = readEnvelope(headers, await readBytes(context.req.raw))
    } catch (error) {
      if (!Fault.is(error)) throw error
      return context.text(error.message, error.code === 'event.too-large' ? 413 : 400)
    }
    if (broker === undefined) return context.text('No such broker', 404)
    const entry = enter(envelope, mode, clock.now())
    if (entry.kind === 'exhausted') return context.text('The event went through the broker too often', 400)
    try {
      await parts.dispatcher.accept(broker, entry.envelope, passedThrough(headers, mode))
    } catch {
      return context.text('The event could not be stored', mode === 'channel' ? 500 : 503)
    }
    return context.body(null, 202)
  })

  app.onError((error, context) => {
    parts.log({ event: 'ingress.failed', reason: error.message })
    return context.text('The event could not be taken', 500)
  })
  return app
}

/** At most 1 MiB, which is all that Kafka carries; larger data goes by `dataref`. */
async function readBytes(request: Request): Promise<Buffer> {
  const tooLarge = () => new Fault('event.too-large', `more than ${maxEventBytes} bytes`)
  const declared = request.headers.get('content-length')
  if (declared !== null && Number(declared) > maxEventBytes) throw tooLarge()
  if (declared !== null) return Buffer.from(await request.arrayBuffer())
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > maxEventBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
