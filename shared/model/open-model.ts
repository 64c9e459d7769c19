import { createHash } from 'node:crypto'
import * as z from 'zod/mini'
import { Fault } from '../errors/fault.ts'
import { composePrompt, offered } from './compose-prompt.ts'
import { decidePrompt } from './decide-prompt.ts'
import { baseUrl, connectModel, type Endpoint, shownUrl } from './endpoint.ts'
import { extractPrompt } from './extract-prompt.ts'
import type { Message, Model, ModelAnswer, Prompt, Usage } from './model.ts'
import { modelFault } from './model-fault.ts'
import { readComposition, readDecision, readExtraction } from './read-answer.ts'
import { visible } from './spotlight.ts'

export interface ModelOptions extends Endpoint {
  /** Milliseconds a call may take, connection included. */
  timeoutMs?: number
  /** Separates one tenant's prefix cache from another's; vLLM takes up to 128 characters, none of @ / \ NUL. */
  cacheSalt?: string
  /** Servers other than vLLM refuse the field, so it is sent only where this is true. */
  sendCacheSalt?: boolean
  /** Milliseconds of a clock that only goes forward. */
  clock?: () => number
}

/** Temperature 0 and one fixed seed: the same question gets the same answer as far as the server can. */
const seed = 7

/** No call of ours takes more; what a server counts beyond, or below nought, would spoil the budgets that it is added to. */
const tokens = z.int().check(z.nonnegative(), z.maximum(10_000_000))

const chatCompletion = z.object({
  choices: z.array(
    z.object({ finish_reason: z.nullish(z.string()), message: z.object({ content: z.nullish(z.string()) }) }),
  ),
  usage: z.catch(z.nullish(z.object({ prompt_tokens: tokens, completion_tokens: tokens })), null),
})

/**
 * A model behind an OpenAI-compatible endpoint (vLLM's chat completions). Opening does no I/O; the client is loaded on
 * the first call. An answer of the wrong form is no fault: its value is null.
 * @throws Fault model.misconfigured for an address that is no URL or a salt vLLM refuses; the calls throw the
 * `model.*` family, `model.answer-invalid` never.
 */
export function openModel(options: ModelOptions): Model {
  const timeoutMs = options.timeoutMs ?? 60_000
  const clock = options.clock ?? (() => performance.now())
  const salt = options.sendCacheSalt === true ? options.cacheSalt : undefined
  baseUrl(options.url)
  if (salt !== undefined && !/^[^@/\\\p{Cc}]{1,128}$/u.test(salt)) {
    throw new Fault(
      'model.misconfigured',
      'the cache salt is empty, longer than 128 characters or has one of @ / \\ NUL',
    )
  }
  let connected: ReturnType<typeof connectModel> | undefined

  async function ask<T>(prompt: Prompt, signal: AbortSignal, read: (raw: string) => T | null): Promise<ModelAnswer<T>> {
    const started = clock()
    const deadline = AbortSignal.timeout(timeoutMs)
    try {
      signal.throwIfAborted()
      connected ??= connectModel(options, timeoutMs)
      const client = await connected
      const completion = await client.chat.completions.create(
        {
          model: options.model,
          messages: prompt.messages,
          response_format: {
            type: 'json_schema',
            json_schema: { name: prompt.name, strict: true, schema: prompt.schema },
          },
          temperature: 0,
          max_tokens: prompt.maxTokens,
          seed,
          ...(salt === undefined ? {} : { cache_salt: salt }),
        },
        { signal: AbortSignal.any([signal, deadline]) },
      )
      const { content, finished, usage } = readCompletion(completion)
      return {
        value: finished ? read(content) : null,
        raw: visible(content.slice(0, 4_000)),
        promptHash: hashMessages(prompt.messages),
        messages: prompt.messages,
        usage: usage ?? estimate(prompt.messages, content),
        milliseconds: Math.round(clock() - started),
      }
    } catch (error) {
      throw modelFault(error, {
        signal,
        deadline,
        timeoutMs,
        where: shownUrl(options.url),
        model: options.model,
        withheld: [options.apiKey, ...prompt.messages.map((message) => message.content)],
      })
    }
  }

  return {
    decide: (question, signal) =>
      ask(decidePrompt(question), signal, (raw) =>
        readDecision(
          raw,
          question.labels.map((label) => label.name),
        ),
      ),
    extract: (question, signal) => ask(extractPrompt(question), signal, (raw) => readExtraction(raw, question.slots)),
    compose: (question, signal) =>
      ask(composePrompt(question), signal, (raw) => readComposition(raw, offered(question.sentences))),
  }
}

/** SHA-256 (hex) of messages, as the journal keeps it. */
export function hashMessages(messages: readonly Message[]): string {
  return createHash('sha256').update(JSON.stringify(messages)).digest('hex')
}

/** @throws Fault model.misconfigured where a 200 is not a chat completion at all. */
function readCompletion(completion: unknown): { content: string; finished: boolean; usage: Usage | undefined } {
  const parsed = chatCompletion.safeParse(completion)
  if (!parsed.success) throw new Fault('model.misconfigured', 'the service answers 200, but not with a chat completion')
  const { choices, usage } = parsed.data
  const first = choices[0]
  return {
    content: first?.message.content ?? '',
    finished: first !== undefined && (first.finish_reason ?? 'stop') === 'stop',
    usage: usage ? { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens } : undefined,
  }
}

function estimate(messages: readonly Message[], content: string): Usage {
  const characters = messages.reduce((sum, message) => sum + message.content.length, 0)
  return { inputTokens: Math.ceil(characters / 4), outputTokens: Math.ceil(content.length / 4), estimated: true }
}
