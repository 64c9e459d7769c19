import { expect, test } from 'vitest'
import type { Clock } from './clock.ts'
import { parseManifests } from './manifests.ts'
import { startPingSources } from './ping.ts'
import type { Call } from './transport.ts'

/** A clock that stands until it is moved. */
function standingClock(start: string): Clock & { move(milliseconds: number): Promise<void> } {
  let now = new Date(start).getTime()
  const timers = new Set<{ at: number; wake: () => void }>()
  return {
    now: () => new Date(now),
    after(milliseconds, wake) {
      const timer = { at: now + milliseconds, wake }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    async move(milliseconds) {
      const end = now + milliseconds
      for (;;) {
        const next = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        timers.delete(next)
        now = next.at
        next.wake()
        await new Promise((resolve) => setImmediate(resolve))
      }
      now = end
    },
  }
}

const { pingSources } = parseManifests(`
apiVersion: sources.knative.dev/v1
kind: PingSource
metadata: {name: repair, namespace: ns}
spec:
  schedule: "*/5 * * * *"
  contentType: application/json
  data: '{"task":"repair"}'
  ceOverrides: {extensions: {team: agents}}
  sink: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: keeper}}
`)

function start(clock: Clock, answer: (number: number) => number) {
  const calls: Call[] = []
  const lines: Record<string, unknown>[] = []
  const stop = startPingSources({
    sources: pingSources,
    addressOf: () => 'http://keeper/',
    clock,
    async transport(call) {
      calls.push(call)
      return { status: answer(calls.length), headers: {}, body: Buffer.alloc(0) }
    },
    log: (line) => lines.push(line),
  })
  return { calls, lines, stop }
}

test('a tick goes to its sink at each due minute, and to nobody after the stop', async () => {
  const clock = standingClock('2026-01-01T00:01:00Z')
  const { calls, stop } = start(clock, () => 204)
  await clock.move(12 * 60_000)
  expect(calls.map(({ headers }) => headers['ce-time'])).toEqual([
    '2026-01-01T00:05:00.000Z',
    '2026-01-01T00:10:00.000Z',
  ])
  expect(calls[0]).toMatchObject({
    url: 'http://keeper/',
    headers: {
      'ce-specversion': '1.0',
      'ce-type': 'dev.knative.sources.ping',
      'ce-source': '/apis/v1/namespaces/ns/pingsources/repair',
      'ce-team': 'agents',
      'content-type': 'application/json',
    },
    body: Buffer.from('{"task":"repair"}'),
  })
  expect(calls[0]?.headers['ce-id']).not.toBe(calls[1]?.headers['ce-id'])
  stop()
  await clock.move(60 * 60_000)
  expect(calls).toHaveLength(2)
})

test('a tick that meets nobody is tried again with the same id, then given up', async () => {
  const clock = standingClock('2026-01-01T00:04:00Z')
  const { calls, lines, stop } = start(clock, () => 503)
  await clock.move(2 * 60_000)
  expect(calls).toHaveLength(4)
  expect(new Set(calls.map(({ headers }) => headers['ce-id'])).size).toBe(1)
  expect(lines).toEqual([{ event: 'tick.lost', source: 'repair', status: 503 }])
  stop()
})

test('a machine that slept through several ticks sends one', async () => {
  const clock = standingClock('2026-01-01T00:01:00Z')
  let wake = () => {}
  const asleep: Clock = {
    now: clock.now,
    after(_, later) {
      wake = later
      return () => {}
    },
  }
  const { calls, stop } = start(asleep, () => 204)
  await clock.move(3 * 3_600_000)
  wake()
  expect(calls).toHaveLength(1)
  stop()
})
