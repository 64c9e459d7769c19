import { setTimeout as wait } from 'node:timers/promises'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Context } from 'hono'
import { ApiError } from './api-error.ts'
import { type ChatRequest, readChatRequest } from './chat-request.ts'
import { type Completion, complete } from './complete.ts'
import type { FaultKind, FaultPlan } from './faults.ts'
import type { Metrics } from './metrics.ts'
import type { PrefixCache } from './prefix-cache.ts'
import type { Settings } from './settings.ts'
import { chatTokens, hash } from './tokens.ts'
import { LineFull, type WaitingLine } from './waiting-line.ts'

export interface Engine {
  settings: Settings
  line: WaitingLine
  cache: PrefixCache
  metrics: Metrics
  faults: FaultPlan
  /** Milliseconds since 1970. */
  now: () => number
  /** Counts requests, for their ids. */
  served: number
}

type Call = Context<{ Bindings: HttpBindings }>

interface Running {
  engine: Engine
  request: ChatRequest
  completion: Completion
  fault: FaultKind | undefined
  signal: AbortSignal
  id: string
  created: number
  usage: ReturnType<typeof usageOf>
  arrived: number
  admitted: number
  leave: () => void
  /** Counted as finished or aborted already. */
  done: boolean
}

/** POST /v1/chat/completions. */
export async function chat(context: Call, engine: Engine): Promise<Response> {
  const fault = engine.faults.take(context.req.header('x-fault'))
  if (fault === 'overload503')
    throw new ApiError(503, 'The request queue is full: maximum number of queued requests reached.')
  if (fault === 'loading') throw new ApiError(503, 'The model is still loading.')
  if (fault === 'error500') throw new ApiError(500, 'EngineCore encountered an issue.')
  const request = readChatRequest(await readJson(context), engine.settings)
  const prompt = chatTokens(request.messages, request.toolUse.kind === 'none' ? '' : JSON.stringify(request.tools))
  refuseOverflow(prompt.length, request.maxTokens, engine.settings.maxModelLength)

  const signal = context.req.raw.signal
  const arrived = engine.now()
  const leave = await enter(engine, signal, request.priority)
  const admitted = engine.now()
  try {
    const cached = engine.cache.use(prompt, request.salt)
    engine.metrics.count('vllm:prefix_cache_queries_total', prompt.length)
    engine.metrics.count('vllm:prefix_cache_hits_total', cached)
    if (fault === 'hang') await aborted(signal)
    await prefill(engine, prompt.length - cached, fault, signal)
    const completion = complete(request, engine.settings.model, fault)
    engine.served += 1
    const running: Running = {
      engine,
      request,
      completion,
      fault,
      signal,
      id: `chatcmpl-${hash(prompt.join('')).toString(16)}-${engine.served}`,
      created: Math.floor(arrived / 1_000),
      usage: usageOf(prompt.length, completion.tokens.length * request.n, cached),
      arrived,
      admitted,
      leave,
      done: false,
    }
    engine.metrics.observe('vllm:time_to_first_token_seconds', (engine.now() - arrived) / 1_000)
    if (request.stream) return streamed(running, context)
    await decode(running, completion.tokens.length)
    finish(running)
    const text = JSON.stringify(wholeAnswer(running))
    if (fault === 'reset') return breakOff(context, text)
    return new Response(text, { headers: { 'content-type': 'application/json' } })
  } catch (error) {
    leave()
    if (!signal.aborted) throw error
    engine.metrics.finish('abort')
    // Nobody is there to read it.
    return new Response(null, { status: 499 })
  }
}

async function readJson(context: Call): Promise<unknown> {
  try {
    return await context.req.json()
  } catch {
    throw new ApiError(400, 'The request body is not JSON.')
  }
}

/** Refuses what does not fit into the context, in vLLM's words. */
export function refuseOverflow(prompt: number, maxTokens: number | undefined, most: number): void {
  if (prompt + (maxTokens ?? 1) <= most) return
  const asked =
    maxTokens === undefined
      ? `${prompt} tokens in the messages`
      : `${prompt + maxTokens} tokens (${prompt} in the messages, ${maxTokens} in the completion)`
  throw new ApiError(
    400,
    `This model's maximum context length is ${most} tokens. However, you requested ${asked}. Please reduce the length of the messages or completion.`,
  )
}

async function enter(engine: Engine, signal: AbortSignal, priority: number): Promise<() => void> {
  try {
    return await engine.line.enter(signal, priority)
  } catch (error) {
    if (!(error instanceof LineFull)) throw error
    throw new ApiError(503, 'The request queue is full: maximum number of queued requests reached.')
  }
}

function prefill(engine: Engine, tokens: number, fault: FaultKind | undefined, signal: AbortSignal): Promise<void> {
  const { ttftMs, prefillMsPerToken, slowFirstTokenMs } = engine.settings.timing
  const slow = fault === 'slow-first-token' ? slowFirstTokenMs : 0
  return pause((ttftMs + tokens * prefillMsPerToken) * load(engine) + slow, signal)
}

function decode(running: Running, tokens: number): Promise<void> {
  const { engine, signal } = running
  return pause(engine.settings.timing.interTokenMs * Math.max(0, tokens - 1) * load(engine), signal)
}

/** A full server is `loadFactor` times as slow as one with a single request, linearly between. */
function load(engine: Engine): number {
  const { loadFactor, maxNumSeqs } = engine.settings.timing
  return maxNumSeqs < 2 ? 1 : 1 + ((loadFactor - 1) * Math.max(0, engine.line.running - 1)) / (maxNumSeqs - 1)
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (milliseconds > 0) await wait(milliseconds, undefined, { signal })
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function usageOf(prompt: number, completion: number, cached: number) {
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached },
  }
}

/** Frees the slot and counts what was done. */
function finish(running: Running): void {
  const { engine, usage, completion, arrived, admitted } = running
  running.leave()
  running.done = true
  const ended = engine.now()
  const { metrics } = engine
  metrics.finish(completion.finish === 'length' ? 'length' : 'stop')
  metrics.count('vllm:prompt_tokens_total', usage.prompt_tokens)
  metrics.count('vllm:generation_tokens_total', usage.completion_tokens)
  metrics.observe('vllm:request_prompt_tokens', usage.prompt_tokens)
  metrics.observe('vllm:request_generation_tokens', usage.completion_tokens)
  metrics.observe('vllm:e2e_request_latency_seconds', (ended - arrived) / 1_000)
  metrics.observe('vllm:request_queue_time_seconds', (admitted - arrived) / 1_000)
  metrics.observe('vllm:request_inference_time_seconds', (ended - admitted) / 1_000)
  const perToken = engine.settings.timing.interTokenMs / 1_000
  metrics.observe('vllm:request_time_per_output_token_seconds', perToken)
  metrics.observe('vllm:inter_token_latency_seconds', perToken)
}

function wholeAnswer(running: Running) {
  const { request, completion, usage } = running
  const text = completion.tokens.join('')
  const message =
    completion.tool === undefined
      ? { role: 'assistant', content: text, tool_calls: [] }
      : { role: 'assistant', content: '', tool_calls: [toolCall(running, text)] }
  return {
    ...heading(running, 'chat.completion'),
    choices: Array.from({ length: request.n }, (_, index) => ({
      index,
      message,
      logprobs: null,
      finish_reason: completion.finish,
      stop_reason: null,
    })),
    usage,
  }
}

function toolCall(running: Running, text: string) {
  return { id: toolId(running), type: 'function', function: { name: running.completion.tool, arguments: text } }
}

function toolId(running: Running): string {
  return `chatcmpl-tool-${hash(running.id).toString(16)}`
}

function heading(running: Running, object: string) {
  return { id: running.id, object, created: running.created, model: running.engine.settings.model }
}

/** Sends half of a body and then resets the connection. */
function breakOff(context: Call, text: string): Response {
  const { outgoing, incoming } = context.env
  outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  outgoing.write(text.slice(0, Math.floor(text.length / 2)), () => incoming.socket.resetAndDestroy())
  return RESPONSE_ALREADY_SENT
}

function streamed(running: Running, context: Call): Response {
  const encoder = new TextEncoder()
  const chunks = chunksOf(running, () => context.env.incoming.socket.resetAndDestroy())
  const ended = () => {
    if (running.done) return
    running.done = true
    running.leave()
    running.engine.metrics.finish('abort')
  }
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const next = await chunks.next()
        if (next.done === true) controller.close()
        else controller.enqueue(encoder.encode(`data: ${next.value}\n\n`))
      } catch (error) {
        ended()
        controller.error(error)
      }
    },
    async cancel() {
      ended()
      await chunks.return(undefined)
    },
  })
  return new Response(stream, {
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
  })
}

/** The events of a stream in vLLM's order: role, pieces, finish reason, usage, [DONE]. */
async function* chunksOf(running: Running, reset: () => void): AsyncGenerator<string, void, undefined> {
  const { request, completion, fault, signal, engine, usage } = running
  const chunk = (index: number, delta: object, finished: string | null = null) =>
    JSON.stringify({
      ...heading(running, 'chat.completion.chunk'),
      choices: [{ index, delta, logprobs: null, finish_reason: finished }],
    })
  const choices = Array.from({ length: request.n }, (_, index) => index)
  for (const index of choices) yield chunk(index, { role: 'assistant', content: '' })
  if (completion.tool !== undefined) {
    const first = {
      index: 0,
      id: toolId(running),
      type: 'function',
      function: { name: completion.tool, arguments: '' },
    }
    for (const index of choices) yield chunk(index, { tool_calls: [first] })
  }
  for (const [at, token] of completion.tokens.entries()) {
    if (at > 0) await pause(engine.settings.timing.interTokenMs * load(engine), signal)
    if (at >= completion.tokens.length / 2 && fault === 'reset') {
      finish(running)
      return reset()
    }
    if (at >= completion.tokens.length / 2 && fault === 'stream-error') {
      finish(running)
      yield JSON.stringify(new ApiError(500, 'EngineCore encountered an issue.').body)
      yield '[DONE]'
      return
    }
    const delta =
      completion.tool === undefined
        ? { content: token }
        : { tool_calls: [{ index: 0, function: { arguments: token } }] }
    for (const index of choices) yield chunk(index, delta)
  }
  finish(running)
  for (const index of choices) yield chunk(index, {}, completion.finish)
  if (request.includeUsage) yield JSON.stringify({ ...heading(running, 'chat.completion.chunk'), choices: [], usage })
  yield '[DONE]'
}
