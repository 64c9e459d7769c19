import * as z from 'zod/mini'

const count = z.int().check(z.nonnegative(), z.maximum(10_000_000))
const milliseconds = z.number().check(z.nonnegative(), z.maximum(600_000))

/** What may be changed while the server runs. */
export const timingShape = z.strictObject({
  /** Constant part of the time to the first token, ms. */
  ttftMs: milliseconds,
  /** Added for every prompt token that is not in the prefix cache, ms. */
  prefillMsPerToken: milliseconds,
  /** Between two output tokens, ms. */
  interTokenMs: milliseconds,
  /** How many times as slow a full server is as an idle one: 1 to 20. */
  loadFactor: z.number().check(z.minimum(1), z.maximum(20)),
  /** What the fault slow-first-token adds, ms. */
  slowFirstTokenMs: milliseconds,
  /** Requests that run at a time. */
  maxNumSeqs: z.int().check(z.positive(), z.maximum(100_000)),
  /** Running and waiting requests that are taken; null: no limit, as in vLLM. */
  maxNumQueuedReqs: z.nullable(count),
})

export type Timing = z.infer<typeof timingShape>

export interface Settings {
  model: string
  /** Tokens of prompt and answer together. */
  maxModelLength: number
  /** Asked for on /v1 as a bearer token; empty: none. */
  apiKey: string
  /** vLLM's --enable-auto-tool-choice with a parser. */
  autoToolChoice: boolean
  /** vLLM's --scheduling-policy priority. */
  priorityPolicy: boolean
  embeddingDimensions: number
  cacheBlocks: number
  timing: Timing
}

export const defaults: Settings = {
  model: 'local-lexical',
  maxModelLength: 16_384,
  apiKey: '',
  autoToolChoice: false,
  priorityPolicy: false,
  embeddingDimensions: 256,
  cacheBlocks: 16_384,
  timing: {
    ttftMs: 0,
    prefillMsPerToken: 0,
    interTokenMs: 0,
    loadFactor: 1,
    slowFirstTokenMs: 2_000,
    maxNumSeqs: 256,
    maxNumQueuedReqs: null,
  },
}

/**
 * Reads the settings from the environment: MODEL_NAME, MAX_MODEL_LEN, API_KEY, ENABLE_AUTO_TOOL_CHOICE=1,
 * SCHEDULING_POLICY=priority, TTFT_MS, PREFILL_MS_PER_TOKEN, INTER_TOKEN_MS, LOAD_FACTOR, MAX_NUM_SEQS,
 * MAX_NUM_QUEUED_REQS.
 * @throws Error naming the variable that is no number
 */
export function readSettings(environment: Record<string, string | undefined>): Settings {
  const number = (name: string, otherwise: number) => {
    const text = environment[name]
    if (text === undefined || text === '') return otherwise
    const value = Number(text)
    if (!Number.isFinite(value) || value < 0) throw new Error(`${name} is "${text}", which is no number from 0 up`)
    return value
  }
  const queued = environment['MAX_NUM_QUEUED_REQS'] ?? ''
  return {
    ...defaults,
    model: environment['MODEL_NAME'] || defaults.model,
    maxModelLength: number('MAX_MODEL_LEN', defaults.maxModelLength),
    apiKey: environment['API_KEY'] ?? '',
    autoToolChoice: environment['ENABLE_AUTO_TOOL_CHOICE'] === '1',
    priorityPolicy: environment['SCHEDULING_POLICY'] === 'priority',
    timing: timingShape.parse({
      ttftMs: number('TTFT_MS', defaults.timing.ttftMs),
      prefillMsPerToken: number('PREFILL_MS_PER_TOKEN', defaults.timing.prefillMsPerToken),
      interTokenMs: number('INTER_TOKEN_MS', defaults.timing.interTokenMs),
      loadFactor: number('LOAD_FACTOR', defaults.timing.loadFactor),
      slowFirstTokenMs: defaults.timing.slowFirstTokenMs,
      maxNumSeqs: number('MAX_NUM_SEQS', defaults.timing.maxNumSeqs),
      maxNumQueuedReqs: queued === '' ? null : number('MAX_NUM_QUEUED_REQS', 0),
    }),
  }
}
