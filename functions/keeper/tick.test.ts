import { afterEach, beforeEach, expect, test } from 'vitest'
import { Fault } from '../../shared/errors/fault.ts'
import { eventTypes } from '../../shared/events/catalogue.ts'
import type { Event } from '../../shared/events/event.ts'
import { findRequest } from '../../shared/store/requests.ts'
import { quiet } from '../../test/pipeline.ts'
import { createWorld, type World } from '../../test/world.ts'
import { given, keeperOf, letters, minutes, openTurn, tickAt } from './testing/scenes.ts'

/** A tick does each of its parts on its own, within its time, and not twice. */
let world: World
beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world.close())

const tick = (): Event => tickAt(world.pipeline.now())
const ids = (events: Event[]) => events.map(({ id }) => id)

/** As many lost requests, each a second younger than the one before. */
async function lose(count: number): Promise<string[]> {
  const lost: string[] = []
  for (let index = 0; index < count; index += 1) {
    lost.push((await world.pipeline.accept(`lost-${index}@company.com`, 'hello')).event.id)
    world.pipeline.pass(1_000)
  }
  return lost
}

test('one event that the broker refuses keeps no other back, and alone is tried again', async () => {
  const [first, second, third] = await lose(3)
  world.pipeline.pass(2 * minutes)
  let away = true
  const { take, taken, lines } = keeperOf(world, (event) => {
    if (away && event.id === second) throw new Fault('broker.unavailable', 'the broker answered 503')
  })
  await expect(take(tick())).rejects.toMatchObject({ code: 'broker.unavailable', class: 'retryable' })
  expect(ids(taken)).toEqual([first, third])
  expect(lines.filter(({ level }) => level === 'error')).toMatchObject([{ code: 'broker.unavailable', event: second }])

  away = false
  await take(tick())
  expect(ids(taken)).toEqual([first, third, second])
  await take(tick())
  expect(taken).toHaveLength(3)
})

test('one turn that cannot be closed keeps neither the other turns nor the lost events back', async () => {
  const broken = await openTurn(world, 'broken@company.com')
  const sound = await openTurn(world, 'sound@company.com')
  const [lost] = await lose(1)
  await world.db.database.unsafe(`
    create function refuse() returns trigger language plpgsql as $$ begin raise exception 'broken'; end $$;
    create trigger refuse before update on turns for each row when (old.request = '${broken.id}' and new.state = 'failed')
      execute function refuse()`)
  world.pipeline.pass(16 * minutes)
  const { take, taken, lines } = keeperOf(world)
  await expect(take(tick())).rejects.toMatchObject({ code: 'stage.failed', class: 'retryable' })
  await world.pipeline.deliver(...taken)
  expect(await findRequest(world.db.database, sound.id)).toMatchObject({ state: 'failed' })
  expect(ids(taken)).toContain(lost)
  expect(lines.filter(({ level }) => level === 'error')).toMatchObject([{ chore: 'late turns', code: 'stage.failed' }])
})

test('a tick begins nothing more after 30 seconds; the next one goes on', async () => {
  const lost = await lose(5)
  world.pipeline.pass(2 * minutes)
  const { take, taken } = keeperOf(world, () => world.pipeline.pass(11_000))
  await take(tick())
  expect(ids(taken)).toEqual(lost.slice(0, 3))
  await take(tick())
  expect(ids(taken)).toEqual(lost)
})

test('a tick stops when its process is told to', async () => {
  await lose(2)
  world.pipeline.pass(2 * minutes)
  const stop = new AbortController()
  const { take, taken } = keeperOf(world, () => stop.abort())
  await take(tick(), stop.signal)
  expect(taken).toHaveLength(1)
})

test('a tick publishes a hundred of a kind at most', async () => {
  const lost = await lose(103)
  world.pipeline.pass(2 * minutes)
  const { take, taken } = keeperOf(world)
  await take(tick())
  expect(ids(taken)).toEqual(lost.slice(0, 100))
  await take(tick())
  expect(ids(taken)).toEqual(lost)
})

test('a hundred events that the broker refuses do not keep the next one from its turn', async () => {
  const lost = await lose(101)
  world.pipeline.pass(2 * minutes)
  const { take, taken } = keeperOf(world, (event) => {
    if (event.id !== lost.at(-1)) throw new Fault('broker.unavailable', 'the broker answered 413')
  })
  await expect(take(tick())).rejects.toMatchObject({ code: 'broker.unavailable' })
  expect(ids(taken)).toEqual(lost.slice(-1))
})

test('an event that nobody looked after for ten hours goes out once, not once for each interval', async () => {
  const lost = await lose(1)
  const { step } = await openTurn(world, 'old@company.com')
  await world.db.database`update turns set deadline = deadline + interval '1 day'`
  world.pipeline.pass(600 * minutes)
  const { take, taken } = keeperOf(world)
  await take(tick())
  await take(tick())
  world.pipeline.pass(5 * minutes)
  await take(tick())
  expect(ids(taken)).toEqual([...lost, step.id])
})

test('an answer that neither route nor dispatch has seen goes out once a tick', async () => {
  const { step } = await openTurn(world, 'twice@company.com')
  const response = await world.pipeline.handlers.agent(step, quiet)
  world.pipeline.pass(2 * minutes)
  const { take, taken } = keeperOf(world)
  await take(tick())
  expect(taken).toEqual([response])
  await take(tick())
  expect(taken).toHaveLength(1)
})

test('a second tick at the same time is sent away, and nothing goes out twice', async () => {
  const lost = await lose(3)
  world.pipeline.pass(2 * minutes)
  const reached = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  const slow = keeperOf(world, () => {
    reached.resolve()
    return goOn.promise
  })
  const first = slow.take(tick())
  await reached.promise
  const other = keeperOf(world)
  await expect(other.take(tick())).rejects.toMatchObject({ code: 'stage.leased' })
  goOn.resolve()
  await first
  expect(ids(slow.taken)).toEqual(lost)
  await other.take(tick())
  expect(other.taken).toEqual([])
})

test('a tick whose lease was taken over does nothing more', async () => {
  await lose(3)
  world.pipeline.pass(2 * minutes)
  const { take, taken } = keeperOf(world, async () => {
    await world.db.database`update inbox set fence = fence + 1 where consumer = 'keeper' and event = 'repair'`
  })
  await take(tick())
  expect(taken).toHaveLength(1)
})

test('a tick that was given up is kept as a dead letter, and does nothing', async () => {
  await lose(1)
  world.pipeline.pass(2 * minutes)
  const { take, taken } = keeperOf(world)
  await take(given(tick(), 'keeper'))
  expect(taken).toEqual([])
  expect(await letters(world, eventTypes.tick)).toMatchObject([{ outcome: 'recorded', error_code: 500 }])
  const { knativeerrorcode: _, ...withoutCode } = given(tick(), 'keeper')
  await take(withoutCode)
  expect(taken).toEqual([])
})
