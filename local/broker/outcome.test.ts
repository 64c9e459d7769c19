import { expect, test } from 'vitest'
import type { Mode } from './back-off.ts'
import { deadLetter, judge, passedThrough } from './outcome.ts'

const answered = (status: number, headers: Record<string, string> = {}, body = '') =>
  ({ kind: 'answered', answer: { status, headers, body: Buffer.from(body) } }) as const
const event = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-type': 't', 'ce-source': '/s' }
const modes = ['channel', 'kafka'] as const satisfies Mode[]

// knative/specs data-plane.md, "Event Delivery Retry"; knative/eventing pkg/kncloudevents/retries_test.go
// (TestSelectiveRetry); eventing-kafka-broker WebClientCloudEventSender.isRetryableStatusCode.
const codes: [status: number, verdict: 'done' | 'retry' | 'give up'][] = [
  [100, 'give up'],
  [102, 'give up'],
  [200, 'done'],
  [201, 'done'],
  [202, 'done'],
  [204, 'done'],
  [300, 'give up'],
  [301, 'give up'],
  [304, 'give up'],
  [400, 'give up'],
  [401, 'give up'],
  [403, 'give up'],
  [404, 'retry'],
  [405, 'give up'],
  [408, 'retry'],
  [409, 'retry'],
  [410, 'give up'],
  [413, 'give up'],
  [415, 'give up'],
  [422, 'give up'],
  [429, 'retry'],
  [500, 'retry'],
  [501, 'retry'],
  [502, 'retry'],
  [503, 'retry'],
  [504, 'retry'],
]

for (const mode of modes) {
  for (const [status, verdict] of codes) {
    test(`${mode}: ${status} without a body: ${verdict}`, () => {
      const outcome = judge(answered(status), 'subscriber', mode)
      const found = outcome.kind === 'failed' ? (outcome.retryable ? 'retry' : 'give up') : outcome.kind
      expect(found).toBe(verdict)
    })
  }
}

// knative/eventing pkg/broker/filter/filter_handler.go (writeResponse) and eventing-kafka-broker BaseResponseHandler.
const bodies: { says: string; headers: Record<string, string>; body: string; channel: string; kafka: string }[] = [
  { says: 'an event in binary mode', headers: event, body: '', channel: 'reply', kafka: 'reply' },
  {
    says: 'an event in structured mode',
    headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
    body: '{"specversion":"1.0","id":"1","type":"t","source":"/s","data":{"a":1}}',
    channel: 'reply',
    kafka: 'reply',
  },
  { says: 'text', headers: { 'content-type': 'text/plain' }, body: 'OK', channel: 'retry', kafka: 'give up' },
  { says: 'JSON', headers: { 'content-type': 'application/json' }, body: '{}', channel: 'retry', kafka: 'give up' },
  { says: 'an event without id', headers: { ...event, 'ce-id': '' }, body: '', channel: 'retry', kafka: 'give up' },
  {
    says: 'a structured event that is no JSON',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: '{"specversion":',
    channel: 'retry',
    kafka: 'give up',
  },
  {
    says: 'a batch',
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    body: '[]',
    channel: 'retry',
    kafka: 'give up',
  },
]

for (const mode of modes) {
  for (const status of [200, 202]) {
    for (const row of bodies) {
      test(`${mode}: ${status} with ${row.says}: ${row[mode]}`, () => {
        const outcome = judge(answered(status, row.headers, row.body), 'subscriber', mode)
        expect(outcome.kind === 'failed' ? (outcome.retryable ? 'retry' : 'give up') : outcome.kind).toBe(row[mode])
      })
    }
  }
}

test("the channel broker doesn't read what a dead letter sink answers with 2xx; Kafka's does", () => {
  expect(judge(answered(200, {}, 'thanks'), 'dead-letter', 'channel').kind).toBe('done')
  expect(judge(answered(200, event), 'dead-letter', 'channel').kind).toBe('done')
  expect(judge(answered(200, {}, 'thanks'), 'dead-letter', 'kafka').kind).toBe('failed')
  expect(judge(answered(200, event), 'dead-letter', 'kafka').kind).toBe('reply')
  expect(judge(answered(503), 'dead-letter', 'channel')).toMatchObject({ kind: 'failed', retryable: true })
})

// The three extensions: knative/eventing pkg/kncloudevents/event_dispatcher.go (dispatchExecutionInfoTransformers) and
// eventing-kafka-broker RecordDispatcherImpl / DeadLetterSinkExtensions.
const original = { attributes: { specversion: '1.0', id: '1', type: 't', source: '/s' }, body: Buffer.from('data') }

function extensionsOf(attempt: Parameters<typeof judge>[0], mode: Mode): Record<string, string> {
  const outcome = judge(attempt, 'subscriber', mode)
  if (outcome.kind !== 'failed') throw new Error('it did not fail')
  const { attributes, body } = deadLetter(original, outcome.failure, 'http://stage/')
  expect(body).toBe(original.body)
  const { specversion, id, type, source, ...extensions } = attributes
  expect({ specversion, id, type, source }).toEqual(original.attributes)
  return extensions
}

test('a status and a body are told by both', () => {
  for (const mode of modes) {
    expect(extensionsOf(answered(422, {}, 'poison'), mode)).toEqual({
      knativeerrordest: 'http://stage/',
      knativeerrorcode: '422',
      knativeerrordata: Buffer.from('poison').toString('base64'),
    })
  }
})

test('a long body is cut: 1024 characters of base64 on the channel broker, 1024 bytes on Kafka', () => {
  const long = 'x'.repeat(5000)
  const channel = extensionsOf(answered(500, {}, long), 'channel')['knativeerrordata'] ?? ''
  expect(channel).toHaveLength(1024)
  expect(Buffer.from(channel, 'base64').toString()).toBe('x'.repeat(768))
  const kafka = extensionsOf(answered(500, {}, long), 'kafka')['knativeerrordata'] ?? ''
  expect(Buffer.from(kafka, 'base64').toString()).toBe('x'.repeat(1024))
})

test('nobody there: 500 and the reason on the channel broker, no code on Kafka', () => {
  const attempt = { kind: 'unreachable', reason: 'connect ECONNREFUSED' } as const
  expect(extensionsOf(attempt, 'channel')).toEqual({
    knativeerrordest: 'http://stage/',
    knativeerrorcode: '500',
    knativeerrordata: Buffer.from('dispatch error: connect ECONNREFUSED').toString('base64'),
  })
  expect(extensionsOf(attempt, 'kafka')).toEqual({ knativeerrordest: 'http://stage/' })
})

test('a body that is no event: 502 on the channel broker, no code on Kafka', () => {
  expect(extensionsOf(answered(200, {}, 'OK'), 'channel')).toEqual({
    knativeerrordest: 'http://stage/',
    knativeerrorcode: '502',
  })
  expect(extensionsOf(answered(200, {}, 'OK'), 'kafka')).toEqual({ knativeerrordest: 'http://stage/' })
})

test('Kafka copies kne- headers into extensions, but over no attribute of the event', () => {
  const headers = { 'kne-reason': 'full', 'kne-id': 'forged', 'x-other': '1' }
  expect(extensionsOf(answered(400, headers), 'kafka')).toMatchObject({ reason: 'full' })
  expect(extensionsOf(answered(400, headers), 'channel')).not.toHaveProperty('reason')
})

// knative/eventing pkg/utils/headers.go
test('few headers travel beside the event, and on Kafka none', () => {
  const headers = {
    'x-request-id': '1',
    'retry-after': '2',
    'knative-foo': '3',
    'x-b3-traceid': '4',
    authorization: 'secret',
    cookie: 'secret',
    'x-b3': '5',
  }
  expect(Object.keys(passedThrough(headers, 'channel'))).toEqual([
    'x-request-id',
    'retry-after',
    'knative-foo',
    'x-b3-traceid',
  ])
  expect(passedThrough(headers, 'kafka')).toEqual({})
})
