import type { Server } from 'node:http'
import { type HttpBindings, serve } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import * as z from 'zod/mini'
import { ApiError } from './api-error.ts'
import { chat, type Engine, refuseOverflow } from './chat.ts'
import { embed, toBase64 } from './embed.ts'
import { FaultPlan, faultKinds } from './faults.ts'
import { Metrics } from './metrics.ts'
import { PrefixCache } from './prefix-cache.ts'
import { type Settings, timingShape } from './settings.ts'
import { chatTokens, tokenId, tokensOf } from './tokens.ts'
import { WaitingLine } from './waiting-line.ts'

type Bindings = { Bindings: HttpBindings }

export interface ModelServer {
  /** http://host:port/v1 */
  url: string
  port: number
  stop: () => Promise<void>
}

const longestBody = 8 * 1_048_576
const calledWhat = 'self-service-agent local model: a deterministic lexical program, not a language model'

const embeddingBody = z.looseObject({
  model: z.optional(z.string()),
  input: z.union([z.string(), z.array(z.string()).check(z.minLength(1), z.maxLength(2_048))]),
  encoding_format: z.nullish(z.enum(['float', 'base64'])),
  dimensions: z.nullish(z.int().check(z.minimum(8), z.maximum(4_096))),
})

const tokenizeBody = z.union([
  z.looseObject({ prompt: z.string() }),
  z.looseObject({ messages: z.array(z.looseObject({ role: z.string(), content: z.string() })) }),
])

const faultBody = z.strictObject({
  next: z.union([z.int().check(z.nonnegative(), z.maximum(1_000_000)), z.literal('all')]),
  kind: z.enum([...faultKinds, 'none']),
})

/**
 * The routes of the stand-in for a model server. It speaks vLLM's protocol and answers from each request alone; see
 * complete.ts for how.
 */
function modelApp(settings: Settings, now: () => number): Hono<Bindings> {
  const engine = startEngine(settings, now)
  const app = new Hono<Bindings>()
  app.onError((error, context) => {
    if (error instanceof ApiError) return error.response
    if (context.req.raw.signal.aborted) return new Response(null, { status: 499 })
    console.error(error)
    return new ApiError(500, 'Internal server error').response
  })
  app.notFound(() => Response.json({ detail: 'Not Found' }, { status: 404 }))
  app.use(
    bodyLimit({ maxSize: longestBody, onError: () => new ApiError(413, 'The request body is too large.').response }),
  )

  app.use('/v1/*', async (context, next) => {
    if (settings.apiKey !== '' && context.req.header('authorization') !== `Bearer ${settings.apiKey}`) {
      return Response.json({ error: 'Unauthorized' }, { status: 401 })
    }
    return next()
  })
  app.get('/v1/models', () => {
    refuseWhileLoading(engine)
    return Response.json({ object: 'list', data: [modelCard(settings)] })
  })
  app.post('/v1/chat/completions', (context) => chat(context, engine))
  app.post('/v1/embeddings', async (context) => embeddings(await jsonOf(context), settings))
  app.post('/tokenize', async (context) => tokenize(await jsonOf(context), settings))
  app.get('/health', () => {
    refuseWhileLoading(engine)
    return new Response(null, { status: 200 })
  })
  app.get('/version', () => Response.json({ version: `${settings.model}/1`, description: calledWhat }))
  app.get('/metrics', () => {
    const { running, waiting } = engine.line
    return new Response(engine.metrics.write({ running, waiting, cacheUsed: engine.cache.used }), {
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    })
  })
  app.route('/admin', adminRoutes(engine))
  return app
}

/** Serves the app on a host and port; port 0 takes a free one. */
export async function startModelServer(options: {
  settings: Settings
  host: string
  port: number
  now: () => number
}): Promise<ModelServer> {
  const app = modelApp(options.settings, options.now)
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const server = serve({ fetch: app.fetch, hostname: options.host, port: options.port }, (info) => resolve(info.port))
  server.on('error', reject)
  const port = await promise
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return { url: `http://${host}:${port}/v1`, port, stop: () => stop(server) }
}

function stop(server: ReturnType<typeof serve>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    // A request that hangs on purpose must not keep the process.
    if (canCutOff(server)) server.closeAllConnections()
  })
}

function canCutOff(server: ReturnType<typeof serve>): server is Server {
  return 'closeAllConnections' in server
}

function startEngine(settings: Settings, now: () => number): Engine {
  const { maxNumSeqs, maxNumQueuedReqs } = settings.timing
  return {
    settings: { ...settings, timing: { ...settings.timing } },
    line: new WaitingLine(maxNumSeqs, maxNumQueuedReqs ?? Number.POSITIVE_INFINITY),
    cache: new PrefixCache(settings.cacheBlocks),
    metrics: new Metrics(settings.model),
    faults: new FaultPlan(),
    now,
    served: 0,
  }
}

function refuseWhileLoading(engine: Engine): void {
  if (engine.faults.planned.kind === 'loading') throw new ApiError(503, 'The model is still loading.')
}

function modelCard(settings: Settings) {
  return {
    id: settings.model,
    object: 'model',
    created: 0,
    owned_by: calledWhat,
    root: settings.model,
    parent: null,
    max_model_len: settings.maxModelLength,
  }
}

async function jsonOf(context: Context<Bindings>): Promise<unknown> {
  try {
    return await context.req.json()
  } catch {
    throw new ApiError(400, 'The request body is not JSON.')
  }
}

function parsed<T>(shape: z.ZodMiniType<T>, value: unknown): T {
  const result = shape.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new ApiError(400, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not what this route takes'}`)
}

function embeddings(value: unknown, settings: Settings): Response {
  const request = parsed(embeddingBody, value)
  if (request.model !== undefined && request.model !== settings.model) {
    throw new ApiError(404, `The model \`${request.model.slice(0, 200)}\` does not exist.`, 'model')
  }
  const inputs = typeof request.input === 'string' ? [request.input] : request.input
  const dimensions = request.dimensions ?? settings.embeddingDimensions
  const counts = inputs.map((text) => tokensOf(text).length)
  for (const count of counts) refuseOverflow(count, undefined, settings.maxModelLength)
  const tokens = counts.reduce((sum, count) => sum + count, 0)
  return Response.json({
    id: `embd-${tokens}`,
    object: 'list',
    created: 0,
    model: settings.model,
    data: inputs.map((text, index) => {
      const vector = embed(text, dimensions)
      return { index, object: 'embedding', embedding: request.encoding_format === 'base64' ? toBase64(vector) : vector }
    }),
    usage: { prompt_tokens: tokens, total_tokens: tokens, completion_tokens: 0, prompt_tokens_details: null },
  })
}

function tokenize(value: unknown, settings: Settings): Response {
  const request = parsed(tokenizeBody, value)
  const tokens =
    'messages' in request && Array.isArray(request.messages)
      ? chatTokens(request.messages, '')
      : tokensOf(String(request['prompt']))
  return Response.json({
    count: tokens.length,
    max_model_len: settings.maxModelLength,
    tokens: tokens.map(tokenId),
    token_strs: null,
  })
}

/**
 * Faults and timing at run time. Only for this machine: another one's connection gets a 404, and a body must be declared
 * JSON, which no web page can send here unasked.
 */
function adminRoutes(engine: Engine): Hono<Bindings> {
  const admin = new Hono<Bindings>()
  admin.use(async (context, next) => {
    const from = context.env.incoming.socket.remoteAddress ?? ''
    if (!/^(?:127\.|::1$|::ffff:127\.)/.test(from)) return Response.json({ detail: 'Not Found' }, { status: 404 })
    if (context.req.method === 'POST' && !/^application\/json\b/.test(context.req.header('content-type') ?? '')) {
      throw new ApiError(400, 'Send application/json.')
    }
    return next()
  })
  admin.get('/faults', () => Response.json(engine.faults.planned))
  admin.post('/faults', async (context) => {
    const { kind, next } = parsed(faultBody, await jsonOf(context))
    engine.faults.set(kind === 'none' ? undefined : kind, next === 'all' ? Number.POSITIVE_INFINITY : next)
    return Response.json(engine.faults.planned)
  })
  admin.get('/config', () => Response.json(engine.settings.timing))
  admin.post('/config', async (context) => {
    const timing = parsed(z.partial(timingShape), await jsonOf(context))
    const next = timingShape.parse({ ...engine.settings.timing, ...timing })
    engine.settings.timing = next
    engine.line.slots = next.maxNumSeqs
    engine.line.most = next.maxNumQueuedReqs ?? Number.POSITIVE_INFINITY
    return Response.json(next)
  })
  return admin
}
