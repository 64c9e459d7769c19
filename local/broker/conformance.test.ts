import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import type { Mode } from './back-off.ts'
import { brokerYaml, type Reply, sendEvent, serviceRef, startSubscriber, triggerYaml, until } from './broker.fixture.ts'
import { type RunningBroker, startBroker } from './broker.ts'
import { parseManifests } from './manifests.ts'

// What Knative's conformance suite asserts about brokers, as data, against a running one.
let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

function settled(broker: RunningBroker): boolean {
  return Object.values(broker.status()).every(({ pending }) => pending === 0)
}

const core = { 'ce-specversion': '1.0', 'ce-type': 'sometype', 'ce-source': '/sender', 'ce-id': '1' }
const json = { ...core, 'content-type': 'application/json' }
const structured = { 'content-type': 'application/cloudevents+json' }
const whole =
  '{"specversion":"1.0","type":"sometype","source":"/sender","id":"2","time":"2020-07-06T09:23:12Z","data":{"message":"hello"}}'

interface IngressRow {
  says: string
  method?: string
  path?: string
  headers: Record<string, string>
  body?: string
  channel: number
  kafka: number
}

// knative/eventing test/rekt/features/broker/data_plane.go (DataPlaneIngress) and ingress_handler.go;
// eventing-kafka-broker ReceiverVerticle, IngressRequestHandlerImpl, MethodNotAllowedHandler.
const ingress: IngressRow[] = [
  { says: 'binary, JSON', headers: json, body: '{}', channel: 202, kafka: 202 },
  {
    says: 'binary, XML',
    headers: { ...core, 'content-type': 'application/xml' },
    body: '{}',
    channel: 202,
    kafka: 202,
  },
  {
    says: 'binary, thrift',
    headers: { ...core, 'content-type': 'application/vnd.apache.thrift.binary' },
    body: '{}',
    channel: 202,
    kafka: 202,
  },
  { says: 'binary without data', headers: core, channel: 202, kafka: 202 },
  { says: 'structured', headers: structured, body: whole, channel: 202, kafka: 202 },
  { says: 'a path that ends in a slash', path: '/ns/default/', headers: json, body: '{}', channel: 202, kafka: 202 },
  { says: 'an unknown version', headers: { ...json, 'ce-specversion': '19.0' }, body: '{}', channel: 400, kafka: 400 },
  // Knative takes 0.3; our stages don't, so it is refused at the door.
  { says: 'version 0.3', headers: { ...json, 'ce-specversion': '0.3' }, body: '{}', channel: 400, kafka: 400 },
  {
    says: 'no version',
    headers: { 'ce-type': 't', 'ce-source': '/s', 'ce-id': '1' },
    body: '{}',
    channel: 400,
    kafka: 400,
  },
  { says: 'no id', headers: { 'ce-specversion': '1.0', 'ce-type': 't', 'ce-source': '/s' }, channel: 400, kafka: 400 },
  { says: 'no event', headers: { 'content-type': 'application/json' }, body: '{}', channel: 400, kafka: 400 },
  { says: 'half an event', headers: structured, body: '{"specversion":', channel: 400, kafka: 400 },
  {
    says: 'a batch',
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    body: `[${whole}]`,
    channel: 400,
    kafka: 400,
  },
  { says: 'more than 1 MiB', headers: json, body: 'x'.repeat(1_048_577), channel: 413, kafka: 413 },
  { says: 'GET', method: 'GET', headers: core, channel: 405, kafka: 405 },
  { says: 'PUT', method: 'PUT', headers: json, body: '{}', channel: 405, kafka: 405 },
  { says: 'OPTIONS', method: 'OPTIONS', headers: {}, channel: 200, kafka: 405 },
  { says: 'no path', path: '/', headers: json, body: '{}', channel: 404, kafka: 404 },
  { says: 'half a path', path: '/ns', headers: json, body: '{}', channel: 400, kafka: 404 },
  { says: 'too much path', path: '/ns/default/more', headers: json, body: '{}', channel: 400, kafka: 404 },
  { says: 'an unknown broker', path: '/ns/other', headers: json, body: '{}', channel: 404, kafka: 404 },
  { says: 'an unknown broker, no event', path: '/ns/other', headers: {}, body: '{}', channel: 400, kafka: 404 },
  { says: 'no hops left', headers: { ...json, 'ce-knativebrokerttl': '1' }, body: '{}', channel: 400, kafka: 202 },
]

for (const mode of ['channel', 'kafka'] as const satisfies Mode[]) {
  describe(`ingress, ${mode}`, () => {
    let broker: RunningBroker
    beforeAll(async () => {
      broker = await startBroker({
        manifests: parseManifests(brokerYaml()),
        databaseUrl: database.url,
        subscribers: {},
        mode,
      })
    })
    afterAll(() => broker.stop())
    for (const row of ingress) {
      test(`${row.says}: ${row[mode]}`, async () => {
        const response = await fetch(`${broker.url}${row.path ?? '/ns/default'}`, {
          method: row.method ?? 'POST',
          headers: row.headers,
          ...(row.body === undefined ? {} : { body: row.body }),
        })
        expect(response.status, await response.text()).toBe(row[mode])
        if (response.status === 405) expect(response.headers.get('allow')).toContain('POST')
        if (row.method === 'OPTIONS' && mode === 'channel') {
          expect(response.headers.get('webhook-allowed-origin')).toBe('*')
          expect(response.headers.get('webhook-allowed-rate')).toBe('*')
        }
      })
    }
  })
}

interface RoutingRow {
  says: string
  triggers: { type?: string; reply?: string }[]
  sent: string
  /** Types that each trigger's subscriber gets, sorted. */
  got: string[][]
}

// knative/eventing test/rekt/features/broker/control_plane.go, addControlPlaneEventRouting
const routing: RoutingRow[] = [
  { says: 'one trigger without a filter gets the event', triggers: [{}], sent: 'full', got: [['full']] },
  { says: 'one trigger of another type does not', triggers: [{ type: 'mine' }], sent: 'full', got: [[]] },
  { says: 'one trigger of the type does', triggers: [{ type: 'full' }], sent: 'full', got: [['full']] },
  {
    says: 'two of the type both do',
    triggers: [{ type: 'full' }, { type: 'full' }],
    sent: 'full',
    got: [['full'], ['full']],
  },
  {
    says: 'of two, the one of the type',
    triggers: [{ type: 'mine' }, { type: 'full' }],
    sent: 'full',
    got: [[], ['full']],
  },
  {
    says: "the first one's reply goes to the second",
    triggers: [{ type: 'full', reply: 'reply' }, { type: 'reply' }],
    sent: 'full',
    got: [['full'], ['reply']],
  },
  { says: 'two without a filter both get it', triggers: [{}, {}], sent: 'full', got: [['full'], ['full']] },
  {
    // data-plane.md: a reply is matched against all triggers, the replier's own too.
    says: 'a reply also meets the trigger that it came from',
    triggers: [{ reply: 'reply' }],
    sent: 'full',
    got: [['full', 'reply']],
  },
]

describe('routing', () => {
  for (const { says, triggers, sent, got } of routing) {
    test(says, async () => {
      const subscribers = await Promise.all(
        triggers.map(({ reply }) =>
          startSubscriber(({ headers }): Reply => {
            if (reply === undefined || headers['ce-type'] === reply) return { status: 204 }
            return { status: 200, headers: { ...core, 'ce-type': reply, 'ce-id': 'reply-1' } }
          }),
        ),
      )
      const yaml = triggers.map(({ type }, index) =>
        triggerYaml(`t${index}`, `s${index}`, type === undefined ? {} : { filter: { attributes: { type } } }),
      )
      const broker = await startBroker({
        manifests: parseManifests(brokerYaml() + yaml.join('')),
        databaseUrl: database.url,
        subscribers: Object.fromEntries(subscribers.map(({ url }, index) => [`s${index}`, url])),
      })
      expect(await sendEvent(broker.url, { type: sent })).toBe(202)
      await until(() => settled(broker))
      expect(subscribers.map(({ received }) => received.map(({ headers }) => headers['ce-type']).sort())).toEqual(got)
      await broker.stop()
      await Promise.all(subscribers.map(({ close }) => close()))
    })
  }
})

interface DeliveryRow {
  says: string
  broker: Record<string, unknown>
  triggers: [Record<string, unknown> | undefined, Record<string, unknown> | undefined]
  /** How often each subscriber says 500 before it says 200. */
  failing: [number, number]
  attempts: [number, number]
  /** Names of the dead letter sinks that got the event. */
  dead: string[]
}

const sink = (name: string) => ({ deadLetterSink: serviceRef(name) })

// knative/eventing test/rekt/features/broker/control_plane.go, addControlPlaneDelivery
const deliveries: DeliveryRow[] = [
  {
    says: 'no delivery anywhere: one attempt',
    broker: {},
    triggers: [undefined, undefined],
    failing: [0, 1],
    attempts: [1, 1],
    dead: [],
  },
  {
    says: "the broker's: three retries reach the fourth attempt, and then its sink",
    broker: { delivery: { retry: 3, ...sink('broker-sink') } },
    triggers: [undefined, undefined],
    failing: [3, 4],
    attempts: [4, 4],
    dead: ['broker-sink'],
  },
  {
    says: "the triggers' own: one gets it, one without a sink drops it",
    broker: { delivery: { retry: 0 } },
    triggers: [{ retry: 3, ...sink('first-sink') }, { retry: 1 }],
    failing: [3, 2],
    attempts: [4, 2],
    dead: [],
  },
  {
    says: "both: the trigger's wins where there is one",
    broker: { delivery: { retry: 1, ...sink('broker-sink') } },
    triggers: [{ retry: 3, ...sink('first-sink') }, undefined],
    failing: [3, 2],
    attempts: [4, 2],
    dead: ['broker-sink'],
  },
  {
    says: 'both, with sinks: each in its own',
    broker: { delivery: { retry: 1, ...sink('broker-sink') } },
    triggers: [{ retry: 3, ...sink('first-sink') }, undefined],
    failing: [4, 2],
    attempts: [4, 2],
    dead: ['broker-sink', 'first-sink'],
  },
  {
    // control-plane.md: the trigger's delivery replaces the broker's as a whole.
    says: "a trigger's delivery without a sink doesn't inherit the broker's",
    broker: { delivery: { retry: 5, ...sink('broker-sink') } },
    triggers: [{ retry: 1 }, { retry: 0 }],
    failing: [2, 1],
    attempts: [2, 1],
    dead: [],
  },
]

describe('delivery', () => {
  for (const row of deliveries) {
    test(row.says, async () => {
      const failing = (count: number) => startSubscriber((_, number) => ({ status: number <= count ? 500 : 200 }))
      const [first, second, firstSink, brokerSink] = await Promise.all([
        failing(row.failing[0]),
        failing(row.failing[1]),
        startSubscriber(),
        startSubscriber(),
      ])
      const yaml = row.triggers.map((delivery, index) =>
        triggerYaml(`t${index}`, `s${index}`, delivery === undefined ? {} : { delivery }),
      )
      const broker = await startBroker({
        manifests: parseManifests(brokerYaml(JSON.stringify(row.broker)) + yaml.join('')),
        databaseUrl: database.url,
        subscribers: { s0: first.url, s1: second.url, 'first-sink': firstSink.url, 'broker-sink': brokerSink.url },
      })
      expect(await sendEvent(broker.url)).toBe(202)
      await until(() => settled(broker))
      expect([first.received.length, second.received.length]).toEqual(row.attempts)
      const dead = { 'broker-sink': brokerSink.received.length, 'first-sink': firstSink.received.length }
      expect(Object.entries(dead).flatMap(([name, count]) => Array<string>(count).fill(name))).toEqual(row.dead)
      await broker.stop()
      await Promise.all([first, second, firstSink, brokerSink].map(({ close }) => close()))
    })
  }
})
