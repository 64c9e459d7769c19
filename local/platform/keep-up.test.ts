import { expect, test, vi } from 'vitest'
import { keepUp, type Part } from './keep-up.ts'

/** Parts whose end the test decides. */
function world() {
  const said: string[] = []
  const parts: (Part & { end(how: string): void; stopped: boolean })[] = []
  const clock = { now: 0 }
  const make = () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const part = {
      ended: promise,
      end: resolve,
      stopped: false,
      async stop() {
        part.stopped = true
        resolve('SIGTERM')
      },
    }
    parts.push(part)
    return part
  }
  const keep = (again: () => Promise<Part> = async () => make()) =>
    keepUp<Part>(make(), {
      name: 'agent',
      log: 'agent.log',
      again,
      say: (text) => said.push(text),
      now: () => clock.now,
    })
  const last = () => parts.at(-1) ?? expect.fail('nothing was started')
  return { said, parts, clock, keep, last }
}

test('what ends by itself is started again, and said', async () => {
  const { said, parts, keep, last } = world()
  const kept = keep()
  last().end('SIGKILL')
  await vi.waitFor(() => expect(said).toEqual(['agent ended (SIGKILL); it is started again.', 'agent is up again.']))
  expect(kept.current).toBe(parts[1])
  await kept.stop()
  expect(parts.map(({ stopped }) => stopped)).toEqual([false, true])
  expect(await kept.given).toBe('')
  expect(said).toHaveLength(2)
})

test('the third failure within a minute is the last; older ones are forgiven', async () => {
  const { said, parts, clock, keep, last } = world()
  const kept = keep()
  for (const at of [0, 59_000, 60_500, 125_000]) {
    clock.now = at
    const count = parts.length
    last().end('code 1')
    await vi.waitFor(() => expect(parts).toHaveLength(count + 1))
  }
  clock.now = 126_000
  last().end('code 1')
  await vi.waitFor(() => expect(parts).toHaveLength(6))
  last().end('code 7')
  expect(await kept.given).toBe(
    'agent ended (code 7), the third failure within a minute: it is not started again. Its log is agent.log.',
  )
  expect(said).toHaveLength(10)
  await kept.stop()
})

test('a start that fails is a failure, and its reason is told at the end', async () => {
  const { said, keep, last } = world()
  const kept = keep(async () => {
    throw new Error('Port 8103 is in use')
  })
  last().end('SIGKILL')
  expect(await kept.given).toBe(
    'agent does not start, the third failure within a minute: it is not started again. Port 8103 is in use',
  )
  expect(said).toEqual(['agent ended (SIGKILL); it is started again.', 'agent does not start; it is started again.'])
})

test('told to stop while it is being started again, it stops what comes of that', async () => {
  const { said, parts, keep, last } = world()
  const begun = Promise.withResolvers<Part>()
  const kept = keep(() => begun.promise)
  last().end('SIGKILL')
  await vi.waitFor(() => expect(said).toHaveLength(1))
  const stopped = kept.stop()
  const late = { ...parts[0], ended: Promise.resolve('SIGTERM'), stop: vi.fn(async () => {}) }
  begun.resolve(late)
  await stopped
  expect(late.stop).toHaveBeenCalledOnce()
  expect(await kept.given).toBe('')
  expect(said).toHaveLength(1)
})
