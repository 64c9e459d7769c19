import { setTimeout as pause } from 'node:timers/promises'
import { Fault } from '../shared/errors/fault.ts'
import type { Model } from '../shared/model/index.ts'

/**
 * The same model, asked again after a pause where it is away for a moment, as the broker does in a deployment: the
 * loop that stands in for the broker here repeats at once, which a full model server would not survive.
 * @throws what the model throws once the pauses (milliseconds) are used up
 */
export function patient(model: Model, pausesMs: readonly number[] = [1_000, 2_000, 4_000, 8_000, 16_000]): Model {
  const ask = async <T>(question: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    for (const ms of pausesMs) {
      try {
        return await question()
      } catch (error) {
        if (!Fault.is(error) || !passing.has(error.code) || signal.aborted) throw error
        await pause(Math.max(ms, Math.min(error.retryAfter ?? 0, longestPause) * 1_000), undefined, { signal })
      }
    }
    return question()
  }
  return {
    decide: (question, signal) => ask(() => model.decide(question, signal), signal),
    extract: (question, signal) => ask(() => model.extract(question, signal), signal),
    compose: (question, signal) => ask(() => model.compose(question, signal), signal),
  }
}

/** Seconds; a server that wants to be left alone for longer is away. */
const longestPause = 60
const passing = new Set<string>(['model.unavailable', 'model.overloaded', 'model.timeout'])
