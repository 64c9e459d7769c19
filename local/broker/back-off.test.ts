import { expect, test } from 'vitest'
import { backOff, type Mode, retrySpan } from './back-off.ts'
import { parseDuration } from './duration.ts'

// After knative/eventing pkg/kncloudevents/retries_test.go (n from 0 there, as go-retryablehttp counts) and
// eventing-kafka-broker's WebClientCloudEventSender (n from 1).
const laws: { mode: Mode; policy: 'linear' | 'exponential'; delay: string; waits: number[] }[] = [
  { mode: 'channel', policy: 'linear', delay: 'PT2.5S', waits: [0, 2500, 5000, 7500, 10_000] },
  { mode: 'kafka', policy: 'linear', delay: 'PT2.5S', waits: [2500, 5000, 7500, 10_000, 12_500] },
  { mode: 'channel', policy: 'exponential', delay: 'PT1.5S', waits: [1500, 3000, 6000, 12_000, 24_000] },
  { mode: 'kafka', policy: 'exponential', delay: 'PT1.5S', waits: [3000, 6000, 12_000, 24_000, 48_000] },
  { mode: 'channel', policy: 'exponential', delay: 'PT0.5S', waits: [500, 1000, 2000, 4000, 8000] },
  { mode: 'kafka', policy: 'exponential', delay: 'PT0.5S', waits: [1000, 2000, 4000, 8000, 16_000] },
]

for (const { mode, policy, delay, waits } of laws) {
  test(`${mode}: ${policy} from ${delay} waits ${waits.join(', ')} ms`, () => {
    const spec = { retry: waits.length, backoffPolicy: policy, backoffDelayMs: parseDuration(delay) ?? Number.NaN }
    expect(waits.map((_, retry) => backOff(spec, retry, mode))).toEqual(waits)
    expect(retrySpan(spec, mode)).toBe(waits.reduce((sum, wait) => sum + wait, 0))
  })
}

test('without a policy or a delay the channel broker retries at once, Kafka after 2, 4, 8 … seconds', () => {
  expect([0, 1, 2].map((retry) => backOff({}, retry, 'channel'))).toEqual([0, 0, 0])
  expect([0, 1, 2].map((retry) => backOff({ backoffDelayMs: 500 }, retry, 'channel'))).toEqual([0, 0, 0])
  expect([0, 1, 2].map((retry) => backOff({}, retry, 'kafka'))).toEqual([2000, 4000, 8000])
})

const durations: [string, number | null][] = [
  ['PT0.2S', 200],
  ['PT30S', 30_000],
  ['PT1M30S', 90_000],
  ['P1DT1H', 90_000_000],
  ['PT0S', 0],
  ['FOO', null],
  ['PP1', null],
  ['P', null],
  ['PT', null],
  ['30s', null],
  ['P1M', null],
]

for (const [text, milliseconds] of durations) {
  test(`${text} is ${milliseconds === null ? 'no duration' : `${milliseconds} ms`}`, () => {
    expect(parseDuration(text)).toBe(milliseconds)
  })
}
