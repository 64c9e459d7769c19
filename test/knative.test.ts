import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { retrySpan } from '../local/broker/back-off.ts'
import { passes } from '../local/broker/filter.ts'
import { readManifestFolder } from '../local/broker/manifests.ts'
import { eventTypes, tickData } from '../shared/events/catalogue.ts'

const base = fileURLToPath(new URL('../knative/base', import.meta.url))
const { brokers, triggers, pingSources } = await readManifestFolder(base)

/** What a stage may hold an event for: the longest lease, and the minute by which a retry must outlast it. */
const longestLeaseMs = 3000
const minute = 60_000

test('there is one broker, with a dead letter sink for Triggers that say nothing', () => {
  expect(brokers).toMatchObject([
    { namespace: 'self-service-agent', name: 'default', delivery: { deadLetterSink: { name: 'keeper' } } },
  ])
})

describe.each(triggers.map((trigger) => [trigger.name, trigger] as const))('Trigger %s', (name, trigger) => {
  test('delivers to the function of its name, and what that gives up to the keeper', () => {
    expect(trigger).toMatchObject({
      namespace: 'self-service-agent',
      broker: 'default',
      subscriber: { kind: 'service', name, path: '/' },
      delivery: { deadLetterSink: { kind: 'service', namespace: 'self-service-agent', name: 'keeper' } },
    })
  })

  test('says its own delivery, whole', () => {
    const { retry, backoffPolicy, backoffDelayMs, timeoutMs } = trigger.delivery
    expect(retry).toBeGreaterThan(0)
    expect(backoffPolicy).toBeDefined()
    expect(backoffDelayMs).toBeGreaterThan(0)
    expect(timeoutMs).toBe(name === 'agent' ? 90_000 : 30_000)
    const text = readFileSync(`${base}/triggers.yaml`, 'utf8')
    expect(text.match(/^ {2}delivery:$/gm)).toHaveLength(triggers.length)
  })

  test('goes on trying for a minute after the longest lease, by either law of back-off', () => {
    for (const mode of ['channel', 'kafka'] as const) {
      expect(retrySpan(trigger.delivery, mode), mode).toBeGreaterThan(longestLeaseMs + minute)
    }
  })

  test('comes back soon after a crash: a lease has run out by the third retry of the channel broker', () => {
    expect(retrySpan({ ...trigger.delivery, retry: 3 }, 'channel')).toBeGreaterThanOrEqual(longestLeaseMs)
    expect(retrySpan({ ...trigger.delivery, retry: 3 }, 'channel')).toBeLessThanOrEqual(5000)
  })
})

// The way of an event, docs/events.md: who takes which type.
const takers: Record<string, string[]> = {
  [eventTypes.requestCreated]: ['normalize'],
  [eventTypes.requestNormalized]: ['route'],
  [eventTypes.agentHandoff]: ['route'],
  [eventTypes.agentStep]: ['agent'],
  [eventTypes.responseReady]: ['dispatch', 'route'],
  [eventTypes.tick]: [],
  'com.self-service-agent.request.created.v2': [],
}

test.each(Object.entries(takers))('%s goes to %j', (type, expected) => {
  const attributes = { specversion: '1.0', id: '1', source: '/s', type }
  for (const mode of ['channel', 'kafka'] as const) {
    const found = triggers.filter(({ matching }) => passes(matching, attributes, mode)).map(({ name }) => name)
    expect(found.sort(), mode).toEqual(expected)
  }
})

test('every type of the catalogue is in that table', () => {
  expect(Object.keys(takers)).toEqual(expect.arrayContaining(Object.values(eventTypes)))
})

test.each([
  ['repair', '*/5 * * * *'],
  ['keep-house', '17 * * * *'],
])('the %s tick goes straight to the keeper, at %s, with data that it reads', (task, schedule) => {
  const source = pingSources.find(({ name }) => name === task)
  expect(source).toMatchObject({
    schedule,
    contentType: 'application/json',
    sink: { kind: 'service', name: 'keeper', path: '/' },
  })
  expect(tickData.parse(JSON.parse(source?.data ?? ''))).toEqual({ task })
})

test('there is no other tick', () => {
  expect(pingSources).toHaveLength(2)
})

test('with mail there is one more, each minute, and nothing else', async () => {
  const mail = await readManifestFolder(fileURLToPath(new URL('../knative/mail', import.meta.url)))
  expect(mail).toMatchObject({ brokers: [], triggers: [] })
  expect(mail.pingSources).toMatchObject([
    { name: 'mail', schedule: '* * * * *', sink: { kind: 'service', name: 'keeper', path: '/' } },
  ])
  expect(tickData.parse(JSON.parse(mail.pingSources[0]?.data ?? ''))).toEqual({ task: 'mail' })
})
