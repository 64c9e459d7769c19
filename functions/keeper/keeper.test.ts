import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Fault } from '../../shared/errors/fault.ts'
import { eventTypes } from '../../shared/events/catalogue.ts'
import type { Event } from '../../shared/events/event.ts'
import { findRequest } from '../../shared/store/requests.ts'
import { quiet } from '../../test/pipeline.ts'
import { createWorld, type World } from '../../test/world.ts'
import { given, keeperOf, letters, minutes, openTurn, tickAt } from './testing/scenes.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

const tick = async () => {
  await world.pipeline.handlers.keeper(tickAt(world.pipeline.now()), quiet)
  const before = world.pipeline.events.length
  await world.pipeline.deliver()
  return world.pipeline.events.length - before
}

describe('a dead letter', () => {
  test('of an open turn closes it with an apology, and the session goes on', async () => {
    const { pipeline } = world
    const { id, step } = await openTurn(world, 'dead-a@company.com')
    const second = await pipeline.accept('dead-a@company.com', 'hello')
    await pipeline.handlers.normalize(second.event, quiet)
    await pipeline.handlers.keeper(given(step, 'agent'), quiet)
    await pipeline.deliver()
    expect(await findRequest(world.db.database, id)).toMatchObject({
      state: 'failed',
      response: { content: 'Something went wrong and I could not finish this. A colleague will look at it.' },
    })
    expect(await findRequest(world.db.database, second.id)).toMatchObject({ state: 'answered' })
    const stored = (await letters(world, eventTypes.agentStep)).at(-1)
    expect(stored).toMatchObject({ outcome: 'closed', error_code: 500 })
    expect(JSON.parse(stored?.event ?? '')).toEqual(step)
  })

  test('says what the fault means where the employee can use it', async () => {
    const { id, step } = await openTurn(world, 'dead-b@company.com')
    await world.pipeline.handlers.keeper(given(step, 'agent', { code: 'flow.budget-spent' }), quiet)
    await world.pipeline.deliver()
    const request = await findRequest(world.db.database, id)
    expect(request?.response?.content).toContain('more of my time than I may spend')
  })

  test('delivered again publishes the same event again and tells nobody twice', async () => {
    const { step } = await openTurn(world, 'dead-c@company.com')
    const letter = given(step, 'agent')
    await world.pipeline.handlers.keeper(letter, quiet)
    const before = world.pipeline.events.length
    await world.pipeline.deliver()
    await world.pipeline.handlers.keeper(letter, quiet)
    await world.pipeline.deliver()
    const published = world.pipeline.events.slice(before).filter((event) => event.type === eventTypes.responseReady)
    expect(published).toHaveLength(2)
    expect(JSON.stringify(published[0])).toBe(JSON.stringify(published[1]))
  })

  test('is stored, and its turn closed, in one transaction: all of it or nothing, and all of it the next time', async () => {
    const { db, pipeline } = world
    const { id, step } = await openTurn(world, 'dead-i@company.com')
    await db.database.unsafe(`
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
      create trigger refuse before insert on dead_letters for each row execute function refuse()`)
    const { take, taken } = keeperOf(world)
    await expect(take(given(step, 'agent'))).rejects.toThrow('no')
    expect(taken).toEqual([])
    expect(await db.database`select state, response from turns where request = ${id}`).toMatchObject([
      { state: 'open', response: null },
    ])
    await db.database.unsafe('drop trigger refuse on dead_letters; drop function refuse')
    await pipeline.handlers.keeper(given(step, 'agent'), quiet)
    await pipeline.deliver()
    expect(await findRequest(db.database, id)).toMatchObject({ state: 'failed' })
  })

  test('whose apology the broker does not take is given back, and the next delivery publishes it', async () => {
    const { id, step } = await openTurn(world, 'dead-j@company.com')
    let away = true
    const { take, taken } = keeperOf(world, () => {
      if (away) throw new Fault('broker.unavailable', 'away')
    })
    await expect(take(given(step, 'agent'))).rejects.toMatchObject({ code: 'broker.unavailable' })
    away = false
    await take(given(step, 'agent'))
    await world.pipeline.deliver(...taken)
    expect(await findRequest(world.db.database, id)).toMatchObject({ state: 'failed' })
  })

  test('of a consumer that has finished publishes the stored reply again', async () => {
    const { pipeline } = world
    const { id, step } = await openTurn(world, 'dead-d@company.com')
    const reply = await pipeline.handlers.agent(step, quiet)
    await pipeline.handlers.keeper(given(step, 'agent'), quiet)
    const before = pipeline.events.length
    await pipeline.deliver()
    expect(JSON.stringify(pipeline.events[before])).toBe(JSON.stringify(reply))
    expect(await findRequest(world.db.database, id)).toMatchObject({ state: 'answered' })
    expect((await letters(world, eventTypes.agentStep)).at(-1)).toMatchObject({ outcome: 'republished' })
  })

  test('of a turn that is being worked on, or that moved on, is recorded and nothing else', async () => {
    const { pipeline } = world
    const leased = await openTurn(world, 'dead-e@company.com')
    await world.db.database`
      insert into inbox (consumer, source, event, state, lease_until)
      values ('agent', ${leased.step.source}, ${leased.step.id}, 'leased', now() + interval '1 minute')`
    await pipeline.handlers.keeper(given(leased.step, 'agent'), quiet)
    expect((await letters(world, eventTypes.agentStep)).at(-1)).toMatchObject({ outcome: 'recorded' })
    expect(await findRequest(world.db.database, leased.id)).toMatchObject({ state: 'queued' })

    const old = await openTurn(world, 'dead-f@company.com')
    await world.db.database`update turns set step = step + 1 where session = ${old.step.subject ?? ''}`
    await pipeline.handlers.keeper(given(old.step, 'agent'), quiet)
    expect((await letters(world, eventTypes.agentStep)).at(-1)).toMatchObject({ outcome: 'recorded' })
  })

  test('of a message that route could not start is answered like any other', async () => {
    const { pipeline } = world
    const { id, event } = await pipeline.accept('dead-g@company.com', 'hello')
    const normalized = await pipeline.handlers.normalize(event, quiet)
    if (!normalized) throw new Error('no event')
    await pipeline.handlers.keeper(given(normalized, 'route'), quiet)
    await pipeline.deliver()
    expect(await findRequest(world.db.database, id)).toMatchObject({ state: 'failed' })
    expect((await pipeline.say('dead-g@company.com', 'hello')).state).toBe('answered')
  })

  test('of a request that never reached a session answers the request', async () => {
    const { pipeline } = world
    const { id, event } = await pipeline.accept('dead-h@company.com', 'hello')
    await pipeline.handlers.keeper(given(event, 'normalize'), quiet)
    expect(await findRequest(world.db.database, id)).toMatchObject({
      state: 'failed',
      response: { agent_id: 'system' },
    })
    expect(await pipeline.handlers.normalize(event, quiet)).toBeNull()
  })

  test('whose data nobody can read is kept, not refused', async () => {
    const poison: Event = { specversion: '1.0', id: 'p', source: '/x', type: eventTypes.agentStep, data: { step: 'x' } }
    await world.pipeline.handlers.keeper(given(poison, 'agent', { code: 'event.data-invalid' }), quiet)
    const stored = (await letters(world, eventTypes.agentStep)).find((letter) => JSON.parse(letter.event).id === 'p')
    expect(stored).toMatchObject({ outcome: 'recorded' })
  })

  test('that nobody sent is kept for a person to see', async () => {
    const forged: Event = {
      specversion: '1.0',
      id: 'forged',
      source: '/x',
      type: eventTypes.requestCreated,
      data: { request_id: '00000000-0000-4000-8000-000000000000' },
    }
    await world.pipeline.handlers.keeper(given(forged, 'normalize', { code: 'event.unauthorised' }), quiet)
    expect((await letters(world, eventTypes.requestCreated)).at(-1)).toMatchObject({ outcome: 'recorded' })
  })
})

describe('a tick', () => {
  test('publishes a lost event again, byte for byte, at doubling intervals', async () => {
    const { pipeline } = world
    await tick()
    const { step } = await openTurn(world, 'tick-a@company.com', 'zzz')
    // The event is lost: nobody delivers it. What the tick publishes is lost too, until the third time.
    const publishedAfter = async (passed: number) => {
      pipeline.pass(passed)
      const { take, taken } = keeperOf(world)
      await take(tickAt(pipeline.now()))
      return taken.filter((event) => event.id === step.id)
    }
    expect(await publishedAfter(1 * minutes)).toHaveLength(0)
    expect(await publishedAfter(1 * minutes)).toEqual([step])
    expect(await publishedAfter(1 * minutes)).toHaveLength(0)
    expect(await publishedAfter(1 * minutes)).toEqual([step])
    expect(await publishedAfter(3 * minutes)).toHaveLength(0)
    expect(await publishedAfter(1 * minutes)).toEqual([step])
  })

  test('leaves a lost event alone while somebody works on it', async () => {
    const { pipeline, db } = world
    const { step } = await openTurn(world, 'tick-e@company.com')
    const claim = { consumer: 'agent', source: step.source, event: step.id, state: 'leased' }
    await db.database`insert into inbox ${db.database({ ...claim, lease_until: new Date('2100-01-01') })}`
    pipeline.pass(2 * minutes)
    const { take, taken } = keeperOf(world)
    await take(tickAt(pipeline.now()))
    expect(taken).not.toContainEqual(step)
    await db.database`update inbox set lease_until = now() - interval '1 ms' where event = ${step.id}`
    await take(tickAt(pipeline.now()))
    expect(taken).toContainEqual(step)
    await pipeline.deliver(...taken)
  })

  test('brings in a request whose event the broker never had, and an answer that dispatch never saw', async () => {
    const { pipeline } = world
    const lost = await pipeline.accept('tick-b@company.com', 'hello')
    const undelivered = await openTurn(world, 'tick-c@company.com')
    await pipeline.handlers.agent(undelivered.step, quiet)
    pipeline.pass(2 * minutes)
    await tick()
    expect(await findRequest(world.db.database, lost.id)).toMatchObject({ state: 'answered' })
    expect(await findRequest(world.db.database, undelivered.id)).toMatchObject({ state: 'answered' })
  })

  test('with nothing overdue publishes nothing', async () => {
    expect(await tick()).toBe(0)
  })

  test('closes a turn past its deadline with a sentence', async () => {
    const { id } = await openTurn(world, 'tick-d@company.com')
    world.pipeline.pass(16 * minutes)
    await tick()
    const request = await findRequest(world.db.database, id)
    expect(request).toMatchObject({ state: 'failed' })
    expect(request?.response?.content).toContain('could not finish this in time')
  })
})
