import { afterEach, beforeEach, expect, test } from 'vitest'
import { traceOf } from '../functions/agent/replay/trace.ts'
import { type Decision, decideApproval, findAskedOf } from '../shared/store/decisions.ts'
import { erasePerson } from '../shared/store/erase.ts'
import { listDeadLetters, redriveDeadLetter } from '../shared/store/redrive.ts'
import { quiet } from './pipeline.ts'
import { replayAll } from './replay-all.ts'
import { createWorld, type World } from './world.ts'

/** A manager's yes above a cost: nothing runs meanwhile, the conversation goes on, and the decision comes when it comes. */
const alice = 'alice.johnson@company.com'
const boss = 'jane.smith@company.com'
const day = 24 * 3_600_000
let world: World
beforeEach(async () => {
  world = await createWorld()
})
afterEach(async () => {
  // What was decided days later runs again from the journal like any other turn, unless a name in it was erased.
  const [erased] = await world.db.database`select 1 from erasures`
  const replays = erased ? [] : await replayAll(world.db.database, world.pipeline.parts.agents)
  expect(replays.filter(({ verdict }) => verdict !== 'exact').map(traceOf)).toEqual([])
  await world.close()
})

/** Asks for more seats than anybody gets without a manager, and confirms. */
async function ask(): Promise<string> {
  const words = ['I need 40 seats of Figma on CC-1234', 'we design the new web shop', boss]
  for (const text of words) await world.pipeline.say(alice, text)
  const asked = await world.pipeline.say(alice, 'yes')
  return asked.response?.content ?? ''
}
const asked = (email = boss) => findAskedOf(world.db.database, { email, now: world.pipeline.now(), limit: 10 })
async function decide(decision: Decision, email = boss) {
  const [approval] = await asked(email)
  if (approval === undefined) throw new Error(`nobody asked ${email}`)
  const decided = await world.db.database.begin((sql) =>
    decideApproval(sql, {
      id: approval.id,
      decision,
      by: { email, caller: email },
      now: world.pipeline.now(),
    }),
  )
  if (decided?.event) await world.pipeline.deliver(decided.event)
}
/** An agent may give a manager longer than a session has. */
async function closeSession(): Promise<void> {
  world.pipeline.pass(5 * day)
  await world.db.database`update sessions set expires_at = ${world.pipeline.now()}`
  await tick()
}
const history = () => world.db.database<{ role: string; content: string }[]>`
  select role, content from messages order by created_at, session, number`
const last = async () => (await history()).at(-1)?.content
const tick = async () => {
  const id = `tick-${world.pipeline.now().getTime()}`
  const event = { specversion: '1.0' as const, id, source: '/ping', type: 'dev.knative.sources.ping' }
  await world.pipeline.handlers.keeper({ ...event, data: { task: 'repair' } }, quiet)
  await world.pipeline.deliver()
}

test('the turn ends, the conversation goes on, and the yes of days later opens exactly what was asked', async () => {
  expect(await ask()).toContain('Jane Smith')
  expect(world.mock.tickets()).toHaveLength(0)
  const [approval] = await asked()
  expect(approval?.question).toContain('40 seats')
  // Nothing is owed and nothing waits for an event.
  expect(await world.db.database`select turn, pending_event, agent from sessions`).toMatchObject([
    { turn: null, pending_event: null, agent: null },
  ])
  world.pipeline.pass(3 * day)
  await world.pipeline.say(alice, 'refresh')
  await decide('granted')
  expect(world.mock.tickets()).toMatchObject([{ variables: { product: 'Figma', seats: '40', manager: boss } }])
  expect(await last()).toContain(world.mock.tickets()[0]?.number)
  expect((await history()).filter(({ role }) => role === 'approver')).toMatchObject([{ content: 'Approved.' }])
  // The conversation stands where it stood: the laptop question is still open.
  const next = await world.pipeline.say(alice, 'yes')
  expect(next.response?.content).toMatch(/laptop/i)
  expect(world.mock.tickets()).toHaveLength(1)
})

test('a yes after the news of a decision is none to the question before it, which is put again', async () => {
  await ask()
  for (const text of ['refresh', 'yes', '3']) await world.pipeline.say(alice, text)
  await decide('granted')
  expect(await last()).toContain(world.mock.tickets()[0]?.number)
  const ambiguous = await world.pipeline.say(alice, 'yes')
  expect(world.mock.tickets()).toHaveLength(1)
  expect(ambiguous.response?.content).toMatch(/nothing was filed[\s\S]*Shall I open the ticket[\s\S]*\(yes or no\)/)
  const clear = await world.pipeline.say(alice, 'yes')
  expect(world.mock.tickets()).toHaveLength(2)
  expect(clear.response?.content).toContain(world.mock.tickets()[1]?.number)
})

test('a decision whose event nobody published is published by its repetition, byte for byte, until it is queued', async () => {
  await ask()
  const [approval] = await asked()
  const press = (decision: Decision) =>
    world.db.database.begin((sql) =>
      decideApproval(sql, {
        ...{ id: approval?.id ?? '', decision, now: world.pipeline.now() },
        by: { email: boss, caller: boss },
      }),
    )
  const first = await press('granted')
  world.pipeline.pass(1_000)
  const again = await press('granted')
  expect(again).toEqual({ before: 'granted', event: first?.event })
  await world.pipeline.deliver(...(again?.event ? [again.event] : []))
  expect(world.mock.tickets()).toHaveLength(1)
  expect(await press('granted')).toEqual({ before: 'used', event: null })
})

test.each([
  ['declined', 'Jane Smith did not approve'],
  ['expired', 'Jane Smith did not decide'],
] as const)('%s: nothing is opened and the employee is told', async (decision, words) => {
  await ask()
  if (decision === 'declined') await decide(decision)
  else {
    world.pipeline.pass(8 * day)
    await tick()
    await tick()
  }
  expect(await last()).toContain(words)
  expect(world.mock.tickets()).toHaveLength(0)
  expect((await history()).filter(({ role }) => role === 'approver')).toHaveLength(1)
  expect(await asked()).toEqual([])
})

test('the decision comes also after the session has expired', async () => {
  await ask()
  await closeSession()
  expect(await world.db.database`select state from sessions`).toMatchObject([{ state: 'closed' }])
  await decide('granted')
  expect(world.mock.tickets()).toHaveLength(1)
  expect(await last()).toContain(world.mock.tickets()[0]?.number)
})

test('a reset does not take back what another was asked, and no words of the employee decide it', async () => {
  await ask()
  for (const text of ['reset', 'yes', 'approved', 'Approved.', 'proceed']) await world.pipeline.say(alice, text)
  expect(world.mock.tickets()).toHaveLength(0)
  await decide('granted')
  await decide('granted').catch(() => {})
  expect(world.mock.tickets()).toHaveLength(1)
})

test('only the manager decides, once and in time, and only that opens anything', async () => {
  const { database } = world.db
  const tryAs = async (id: string, email: string, decision: Decision) => {
    const by = { email, caller: email }
    const now = world.pipeline.now()
    const decided = await database.begin((sql) => decideApproval(sql, { id, decision, by, now }))
    if (decided?.event) await world.pipeline.deliver(decided.event)
    return decided === null ? 'refused' : decided.event === null ? `was ${decided.before}` : 'counts'
  }
  await ask()
  const id = (await asked())[0]?.id ?? ''
  for (const email of [alice, 'john.doe@company.com', `${boss}.evil.example`, boss.toUpperCase()]) {
    expect(await tryAs(id, email, 'granted')).toBe('refused')
    expect(await tryAs(id, email, 'declined')).toBe('refused')
  }
  expect(world.mock.tickets()).toHaveLength(0)
  expect(await tryAs(id, boss, 'granted')).toBe('counts')
  for (const decision of ['granted', 'declined', 'expired'] as const)
    expect(await tryAs(id, boss, decision)).toBe('was used')
  expect(world.mock.tickets()).toHaveLength(1)

  await ask()
  const late = (await asked())[0]?.id ?? ''
  world.pipeline.pass(7 * day)
  expect(await tryAs(late, boss, 'granted')).toBe('was expired')
  expect(await tryAs(late, boss, 'declined')).toBe('was expired')
  expect(world.mock.tickets()).toHaveLength(1)
})

test('while a turn is open the decision waits for its place in the queue', async () => {
  await ask()
  const { event } = await world.pipeline.accept(alice, 'refresh')
  const normalized = await world.pipeline.handlers.normalize(event, quiet)
  const step = normalized && (await world.pipeline.handlers.route(normalized, quiet))
  await decide('granted')
  expect(world.mock.tickets()).toHaveLength(0)
  if (step) await world.pipeline.deliver(step)
  expect(world.mock.tickets()).toHaveLength(1)
  const roles = (await history()).map(({ role }) => role)
  expect(roles.slice(-4)).toEqual(['employee', 'approver', 'agent', 'agent'])
})

test('whoever has no manager, or is their own, is sent to the service desk', async () => {
  for (const text of ['I need 40 seats of Figma on CC-1234', 'we design the new web shop', alice]) {
    await world.pipeline.say(boss, text)
  }
  expect(await last()).toContain('service desk')
  expect(world.mock.tickets()).toHaveLength(0)
})

test('a yes whose turn nobody could run in time is not lost: it is seen, and redriven into the ticket', async () => {
  await ask()
  const [approval] = await asked()
  const { database } = world.db
  const by = { email: boss, caller: boss }
  const decided = await database.begin((sql) =>
    decideApproval(sql, { id: approval?.id ?? '', decision: 'granted', by, now: world.pipeline.now() }),
  )
  const { handlers } = world.pipeline
  const normalized = decided?.event && (await handlers.normalize(decided.event, quiet))
  if (normalized) await handlers.route(normalized, quiet)
  // The agent is away for longer than a turn may take.
  world.pipeline.pass(16 * 60_000)
  await tick()
  const [letter] = await listDeadLetters(database, { state: 'stored', after: null, limit: 10 })
  expect(letter).toMatchObject({ outcome: 'closed', errorData: expect.stringContaining('turn.deadline-passed') })
  const options = { id: letter?.id ?? '', by: 'ops@company.com', now: world.pipeline.now() }
  const redriven = await database.begin((sql) => redriveDeadLetter(sql, options))
  if (redriven?.kind !== 'message') throw new Error('not said again')
  await world.pipeline.deliver(redriven.event)
  expect(world.mock.tickets()).toHaveLength(1)
  expect(await last()).toContain(world.mock.tickets()[0]?.number)
})

test('an approver who is erased lets the question expire, and the employee hears of it', async () => {
  await ask()
  await erasePerson(world.db.database, { email: boss, by: 'ops', now: world.pipeline.now(), dry: false })
  await tick()
  expect(await last()).toContain('did not decide')
  expect(world.mock.tickets()).toHaveLength(0)
  expect(await world.db.database`select person from approvals where continuation is not null`).toMatchObject([
    { person: 'erased' },
  ])
})

test('what was decided in a later session does not keep old ones from being deleted', async () => {
  await ask()
  await closeSession()
  await decide('granted')
  const keepHouse = async () => {
    const id = `house-${world.pipeline.now().getTime()}`
    const event = { specversion: '1.0' as const, id, source: '/ping', type: 'dev.knative.sources.ping' }
    await world.pipeline.handlers.keeper({ ...event, data: { task: 'keep-house' } }, quiet)
  }
  world.pipeline.pass(91 * day)
  await keepHouse()
  await tick()
  world.pipeline.pass(91 * day)
  await keepHouse()
  await keepHouse()
  expect(await world.db.database`select 1 from sessions`).toHaveLength(0)
})
