import { expect, test } from 'vitest'
import { createTestDatabase } from '../../test/database.ts'
import { brokerYaml, sendEvent, startSubscriber, triggerYaml, until } from './broker.fixture.ts'
import { startBroker } from './broker.ts'
import { parseManifests } from './manifests.ts'

/** Events of the smoke run; BROKER_SMOKE_EVENTS asks for more. */
const events = Number(process.env['BROKER_SMOKE_EVENTS'] ?? '400')
const senders = 20

test('every event of a burst arrives, and the rate is told', async () => {
  const { url: databaseUrl, drop } = await createTestDatabase()
  const sentAt = new Map<string, number>()
  const latencies: number[] = []
  const seen = new Set<string>()
  const second = await startSubscriber(({ headers, at }) => {
    const id = headers['ce-id'] ?? ''
    seen.add(id)
    latencies.push(at - (sentAt.get(id.replace('reply-', '')) ?? at))
    return { status: 204 }
  })
  const first = await startSubscriber(({ headers }) => ({
    status: 200,
    headers: {
      'ce-specversion': '1.0',
      'ce-type': 'second',
      'ce-source': '/first',
      'ce-id': `reply-${headers['ce-id']}`,
      'content-type': 'application/json',
    },
    body: '{"answer":true}',
  }))
  const broker = await startBroker({
    manifests: parseManifests(
      brokerYaml() +
        triggerYaml('first', 'first', { filters: [{ exact: { type: 'first' } }] }) +
        triggerYaml('second', 'second', { filters: [{ exact: { type: 'second' } }] }),
    ),
    databaseUrl,
    subscribers: { first: first.url, second: second.url },
  })
  const accepts: number[] = []
  const send = async (id: string) => {
    const start = performance.now()
    sentAt.set(id, start)
    expect(await sendEvent(broker.url, { type: 'first', id, body: `{"text":"${'x'.repeat(300)}"}` })).toBe(202)
    accepts.push(performance.now() - start)
  }
  const started = performance.now()
  let next = 0
  await Promise.all(
    Array.from({ length: senders }, async () => {
      while (next < events) await send(`event-${next++}`)
    }),
  )
  await until(() => seen.size === events, 'the last reply')
  const seconds = (performance.now() - started) / 1000
  const burst = { accept: median(accepts), toSecond: median(latencies) }
  accepts.length = 0
  latencies.length = 0
  for (let index = 0; index < 50; index++) {
    await send(`calm-${index}`)
    await until(() => seen.has(`reply-calm-${index}`))
  }
  console.log(
    `broker: ${Math.round((2 * events) / seconds)} events/s (half of them replies); burst p50: accept ` +
      `${burst.accept.toFixed(1)} ms, sent to second stage ${burst.toSecond.toFixed(1)} ms; ` +
      `one at a time p50: accept ${median(accepts).toFixed(2)} ms, sent to second stage ${median(latencies).toFixed(2)} ms`,
  )
  await until(() => Object.values(broker.status()).every(({ pending }) => pending === 0))
  expect(Object.values(broker.status()).map(({ delivered, pending }) => [delivered, pending])).toEqual([
    [events + 50, 0],
    [events + 50, 0],
  ])
  await broker.stop()
  await Promise.all([first.close(), second.close()])
  await drop()
})

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
