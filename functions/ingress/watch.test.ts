import { setTimeout as pause } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import type { StoredRequest } from '../../shared/store/requests.ts'
import { createLog } from '../../shared/telemetry/log.ts'
import { createWatch } from './watch.ts'

const row = (id: string): StoredRequest => ({
  id,
  caller: 'c',
  identity: 'i',
  state: 'answered',
  session: null,
  bodyHash: '',
  event: '{}',
  response: null,
})

function watched() {
  const answered = new Set<string>()
  const lines: string[] = []
  const looks: { ids: string[]; at: number }[] = []
  const state = { failing: false, atOnce: 0, most: 0, delayMs: 0 }
  const watch = createWatch({
    log: createLog({}, { write: (line) => void lines.push(line) }),
    find: async (ids) => {
      looks.push({ ids: [...ids], at: performance.now() })
      state.most = Math.max(state.most, ++state.atOnce)
      await pause(state.delayMs)
      state.atOnce -= 1
      if (state.failing) throw new Error('no store')
      return ids.filter((id) => answered.has(id)).map(row)
    },
  })
  return { watch, answered, looks, lines, state }
}

const never = new AbortController().signal

test('an answer reaches everybody who waits for it, by one query at a time', async () => {
  const { watch, answered, looks, state } = watched()
  state.delayMs = 2
  const waits = [...Array(50).keys()].map((n) => watch.wait(`r${n % 25}`, 5_000, never))
  expect(watch.count()).toBe(50)
  await vi.waitFor(() => expect(looks.length).toBeGreaterThan(2))
  expect(looks[0]?.ids).toHaveLength(25)
  for (const n of Array(25).keys()) answered.add(`r${n}`)
  const rows = await Promise.all(waits)
  expect(rows.map((found) => found?.id)).toEqual([...Array(50).keys()].map((n) => `r${n % 25}`))
  expect(state.most).toBe(1)
  expect(watch.count()).toBe(0)
})

test('nobody is looked for when nobody waits', async () => {
  const { watch, looks, answered } = watched()
  answered.add('a')
  await watch.wait('a', 1_000, never)
  const before = looks.length
  await pause(60)
  expect(looks).toHaveLength(before)
})

test('waiting ends after its time, with its signal, or when the watch stops', async () => {
  const { watch, looks } = watched()
  const start = performance.now()
  expect(await watch.wait('a', 30, never)).toBeNull()
  expect(performance.now() - start).toBeGreaterThanOrEqual(28)
  const leaving = new AbortController()
  const left = watch.wait('a', 60_000, leaving.signal)
  leaving.abort()
  expect(await left).toBeNull()
  expect(await watch.wait('a', 60_000, leaving.signal)).toBeNull()
  expect(await watch.wait('a', 0, never)).toBeNull()
  const stopped = watch.wait('a', 60_000, never)
  watch.stop()
  expect(await stopped).toBeNull()
  expect(await watch.wait('a', 60_000, never)).toBeNull()
  const before = looks.length
  await pause(40)
  expect(looks).toHaveLength(before)
})

test('a store that fails for a while delays the waiters and is told once', async () => {
  const { watch, answered, looks, lines, state } = watched()
  state.failing = true
  const waiting = watch.wait('a', 10_000, never)
  await vi.waitFor(() => expect(looks.length).toBeGreaterThan(1), { timeout: 3_000 })
  answered.add('a')
  state.failing = false
  expect((await waiting)?.id).toBe('a')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('waiting goes on')
})

test('the longer a request waits, the rarer it is looked for; a new one is looked for at once', async () => {
  let now = 0
  const looks: { at: number; ids: readonly string[] }[] = []
  const watch = createWatch({
    log: createLog({}, { write: () => {} }),
    clock: () => now,
    find: async (ids) => {
      looks.push({ at: now, ids })
      return []
    },
  })
  vi.useFakeTimers()
  try {
    const advance = async (until: number) => {
      while (now < until) {
        now += 1
        await vi.advanceTimersByTimeAsync(1)
      }
    }
    const between = (from: number, to: number) => looks.filter(({ at }) => at >= from && at < to).length
    const old = watch.wait('old', 60_000, never)
    await advance(30_000)
    expect(looks[0]?.at).toBe(3)
    expect(between(0, 1_000)).toBeGreaterThan(120)
    expect(between(0, 1_000)).toBeLessThanOrEqual(200)
    expect(between(2_000, 3_000)).toBe(40)
    expect(between(10_000, 11_000)).toBe(10)
    expect(between(25_000, 26_000)).toBe(4)
    looks.length = 0
    const young = watch.wait('young', 1_000, never)
    await advance(30_500)
    expect(looks[0]).toMatchObject({ at: 30_003 })
    const asked = (id: string) => looks.filter(({ ids }) => ids.includes(id)).length
    expect(asked('young')).toBeGreaterThan(60)
    expect(asked('old')).toBeLessThanOrEqual(5)
    watch.stop()
    await Promise.all([old, young])
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})
