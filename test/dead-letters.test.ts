import { afterAll, beforeAll, expect, test } from 'vitest'
import { treatDeadLetters } from '../functions/ingress/dead-letters.ts'
import { failLate } from '../functions/keeper/fail-late.ts'
import { given, letters, openTurn } from '../functions/keeper/testing/scenes.ts'
import { recorder, sendersOf } from '../shared/channels/testing/recorder.ts'
import { Fault } from '../shared/errors/fault.ts'
import { eventTypes } from '../shared/events/catalogue.ts'
import type { Event } from '../shared/events/event.ts'
import type { Caller } from '../shared/identity/caller.ts'
import { listDeadLetters } from '../shared/store/redrive.ts'
import { findRequest } from '../shared/store/requests.ts'
import { quiet } from './pipeline.ts'
import { createWorld, type World } from './world.ts'

/** Redriven by an operator, one or many: nothing is answered twice, and nobody's words overtake others. */
let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

const operator: Caller = { subject: 'ops', email: 'ops@company.com', scopes: ['dead-letters:manage'], kind: 'person' }

/** Redrives as the operator's route does; what it published, and each result. */
async function redrive(
  ...ids: string[]
): Promise<{ published: Event[]; results: string[]; requests: (string | null)[] }> {
  const published: Event[] = []
  const value = { action: 'redrive', ids }
  const options = { value, caller: operator, now: world.pipeline.now() }
  const response = await treatDeadLetters(world.db.database, async (event) => void published.push(event), options)
  const { dead_letters: treated } = (await response.json()) as {
    dead_letters: { result: string; request_id: string | null }[]
  }
  return {
    published,
    results: treated.map(({ result }) => result),
    requests: treated.map(({ request_id }) => request_id),
  }
}

/** Gives an event up; the dead letter's id. */
async function giveUp(event: Event, consumer: string): Promise<string> {
  world.pipeline.pass(1)
  const before = new Set((await stored()).map(({ id }) => id))
  await world.pipeline.handlers.keeper(given(event, consumer), quiet)
  await world.pipeline.deliver()
  const letter = (await stored()).find(({ id }) => !before.has(id))
  return letter?.id ?? expect.fail('nothing was stored')
}

const stored = () => listDeadLetters(world.db.database, { state: 'stored', after: null, limit: 200 })

/** A conversation as it reads: whose line, and what stands in it. */
async function history(email: string): Promise<string[]> {
  const rows = await world.db.database<{ line: string }[]>`
    select m.role || ': ' || m.content as line from messages m join sessions s on s.id = m.session join people p on p.id = s.person
    where p.email = ${email} order by m.number`
  return rows.map(({ line }) => line)
}

/** The words, in the order in which they were answered. */
async function answered(email: string): Promise<string[]> {
  const rows = await world.db.database<{ words: string }[]>`
    select q.content || case t.state when 'failed' then ' (failed)' else '' end as words
    from turns t join messages q on q.session = t.session and q.number = t.message
      join messages a on a.turn = t.id and a.role = 'agent'
      join sessions s on s.id = t.session join people p on p.id = s.person
    where p.email = ${email} order by a.number`
  return rows.map(({ words }) => words)
}

test.each(['agent', 'route', 'dispatch'])(
  'what %s gave up and somebody answered since is not answered again',
  async (by) => {
    const { pipeline, db } = world
    const email = `twice-${by}@company.com`
    const { id, step } = await openTurn(world, email)
    let event = step
    if (by === 'agent') {
      // Recorded only: at that moment somebody worked on it.
      const key = { consumer: 'agent', source: step.source, event: step.id, state: 'leased' }
      await db.database`insert into inbox ${db.database({ ...key, lease_until: new Date('2100-01-01') })}`
    } else {
      event = (await pipeline.handlers.agent(step, quiet)) ?? expect.fail('no answer')
    }
    const letter = await giveUp(event, by)
    if (by === 'agent') await db.database`delete from inbox where event = ${step.id}`
    await pipeline.deliver(event)
    const before = [await history(email), (await findRequest(db.database, id))?.response]

    const { published, results } = await redrive(letter)
    expect(results).toEqual(['redriven'])
    expect(published).toEqual([event])
    await pipeline.deliver(...published)
    expect([await history(email), (await findRequest(db.database, id))?.response]).toEqual(before)
    expect(before[0]).toHaveLength(2)
    expect((await redrive(letter)).results).toEqual(['already-redriven'])
  },
)

test('the words of a closed turn come after all that was said since, waiting or answered', async () => {
  const { pipeline } = world
  const email = 'order@company.com'
  const { step } = await openTurn(world, email, 'hello')
  const letter = await giveUp(step, 'agent')
  await pipeline.say(email, 'thanks')
  const open = await openTurn(world, email, 'what can you do')
  const behind = await pipeline.accept(email, 'tokens')
  expect(await pipeline.handlers.normalize(behind.event, quiet)).toBeNull()

  const { published } = await redrive(letter)
  // It gets there first, and is answered last.
  await pipeline.deliver(...published)
  await pipeline.deliver(open.step)
  expect(await answered(email)).toEqual(['hello (failed)', 'thanks', 'what can you do', 'tokens', 'hello'])
  expect((await redrive(letter)).published).toEqual([])
})

test('many of one conversation, named in any order and delivered in any order, come as they were said', async () => {
  const { pipeline } = world
  const email = 'many@company.com'
  const words = ['hello', 'thanks', 'what can you do']
  const ids: string[] = []
  for (const content of words) ids.push(await giveUp((await openTurn(world, email, content)).step, 'agent'))
  const { published, results } = await redrive(...ids.toReversed())
  expect(results).toEqual(['redriven', 'redriven', 'redriven'])
  await pipeline.deliver(...published.toReversed())
  expect((await answered(email)).slice(3)).toEqual(words)
})

test('two operators at once, and an operator while the broker is away: said again once', async () => {
  const { pipeline } = world
  const email = 'race@company.com'
  const letter = await giveUp((await openTurn(world, email)).step, 'agent')
  const both = await Promise.all([redrive(letter), redrive(letter, letter)])
  expect(both.flatMap(({ results }) => results).sort()).toEqual(['already-redriven', 'redriven'])
  await pipeline.deliver(...both.flatMap(({ published }) => published))
  expect(await answered(email)).toEqual(['hello (failed)', 'hello'])

  const second = await giveUp((await openTurn(world, email)).step, 'agent')
  const away = async () => {
    throw new Fault('broker.unavailable', 'away')
  }
  const value = { action: 'redrive', ids: [second] }
  await treatDeadLetters(world.db.database, away, { value, caller: operator, now: pipeline.now() })
  expect((await redrive(second)).results).toEqual(['already-redriven'])
  // The new message is there, and the tick finds it.
  pipeline.pass(120_000)
  const tick: Event = {
    specversion: '1.0',
    id: 'tick',
    source: '/ping',
    type: eventTypes.tick,
    data: { task: 'repair' },
  }
  await pipeline.handlers.keeper(tick, quiet)
  await pipeline.deliver()
  expect(await answered(email)).toEqual(['hello (failed)', 'hello', 'hello (failed)', 'hello'])
})

test('what fails again after it was redriven is a dead letter of its own, and the employee hears of it again', async () => {
  const { pipeline } = world
  const email = 'again@company.com'
  const first = await giveUp((await openTurn(world, email)).step, 'agent')
  const [event] = (await redrive(first)).published
  const normalized = event && (await pipeline.handlers.normalize(event, quiet))
  const step = normalized && (await pipeline.handlers.route(normalized, quiet))
  const second = await giveUp(step ?? expect.fail('no step'), 'agent')
  expect(second).not.toBe(first)
  expect(await answered(email)).toEqual(['hello (failed)', 'hello (failed)'])
  expect((await letters(world, eventTypes.agentStep)).at(-1)).toMatchObject({ outcome: 'closed', state: 'stored' })
  await pipeline.deliver(...(await redrive(second)).published)
  expect((await answered(email)).at(-1)).toBe('hello')
})

test('a letter that comes back after its words were redriven gets what they became, and ends', async () => {
  const { pipeline, db } = world
  const email = 'back@company.com'
  const { id, step } = await openTurn(world, email)
  const key = { consumer: 'agent', source: step.source, event: step.id, state: 'leased' }
  await db.database`insert into inbox ${db.database({ ...key, lease_until: new Date('2100-01-01') })}`
  const letter = await giveUp(step, 'agent')
  // Whoever worked on it died, and nobody took it up until the turn was late.
  await db.database`update inbox set lease_until = now() - interval '1 s' where event = ${step.id}`
  pipeline.pass(16 * 60_000)
  const [turn] = await db.database<{ id: string }[]>`select id from turns where request = ${id}`
  const late = await db.database.begin((sql) => failLate(sql, turn?.id ?? '', pipeline.now()))
  await pipeline.deliver(...(late.event === null ? [] : [late.event]))
  const first = await redrive(letter)
  await pipeline.deliver(...first.published)

  await pipeline.handlers.keeper(given(step, 'agent'), quiet)
  await pipeline.deliver()
  pipeline.pass(1_000)
  const second = await redrive(letter)
  expect(second).toEqual(first)
  await pipeline.deliver(...second.published)
  expect(await answered(email)).toEqual(['hello (failed)', 'hello'])
}, 10_000)

test('of a turn that was given up, and its apology too, the words come again once and the apology is sent', async () => {
  const chat = recorder('chat')
  const other = await createWorld({ senders: sendersOf({ chat }) })
  const { pipeline, db } = other
  try {
    const { agent } = pipeline.handlers
    let broken = true
    pipeline.handlers.agent = async (event, context) => {
      if (broken) throw new Fault('flow.invalid', 'broken')
      return agent(event, context)
    }
    chat.plays.push(...Array<'unavailable'>(9).fill('unavailable'))
    await pipeline.receive({
      ...{ channel: 'chat', message: 'm1', person: 'two@company.com', caller: 'chat:U1', own: true, text: 'hello' },
      ...{ thread: 'T1', context: {}, button: null, attachments: [] },
    })
    broken = false
    chat.plays.length = 0
    const found = await listDeadLetters(db.database, { state: 'stored', after: null, limit: 9 })
    expect(found.map(({ eventType, outcome }) => [eventType, outcome]).sort()).toEqual([
      [eventTypes.responseReady, 'recorded'],
      [eventTypes.agentStep, 'closed'],
    ])
    pipeline.pass(60_000)
    const published: Event[] = []
    const value = { action: 'redrive', ids: found.map(({ id }) => id) }
    const options = { value, caller: operator, now: pipeline.now() }
    await treatDeadLetters(db.database, async (event) => void published.push(event), options)
    await pipeline.deliver(...published.toReversed())
    const rows = await db.database<{ role: string }[]>`select role from messages order by number`
    expect(rows.map(({ role }) => role)).toEqual(['employee', 'agent', 'employee', 'agent'])
    expect(chat.delivered).toMatchObject([
      { text: expect.stringContaining('A colleague will look') },
      { text: expect.not.stringContaining('A colleague will look') },
    ])
  } finally {
    await other.close()
  }
})
