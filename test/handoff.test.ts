import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AgentParts } from '../functions/agent/parts.ts'
import { traceOf } from '../functions/agent/replay/trace.ts'
import { recorder, sendersOf } from '../shared/channels/testing/recorder.ts'
import { Fault } from '../shared/errors/fault.ts'
import { releaseHandoff } from '../shared/store/handoffs.ts'
import type { WorldOptions } from './compose-world.ts'
import { quiet } from './pipeline.ts'
import { replayAll } from './replay-all.ts'
import { createWorld, type World } from './world.ts'

/** A person takes over: a ticket with the conversation in it, and an agent that is silent until the person is done. */
const alice = 'alice.johnson@company.com'
let world: World
const open = async (options: WorldOptions = {}) => {
  await world?.close()
  world = await createWorld({ callsPerson: true, ...options })
}
beforeEach(async () => {
  world = await createWorld({ callsPerson: true })
})
afterEach(async () => {
  const replays = await replayAll(world.db.database, world.pipeline.parts.agents)
  expect(replays.filter(({ verdict }) => verdict !== 'exact').map(traceOf)).toEqual([])
  await world.close()
})

const say = async (text: string) => (await world.pipeline.say(alice, text)).response?.content ?? ''
const handoffs = () =>
  world.db.database<
    { id: string; state: string; ticket: string; why: string; released_by: string | null }[]
  >`select id, state, ticket, why, released_by from handoffs order by opened_at`
async function askForPerson(): Promise<string> {
  const words = ['hello', 'talk to a person', 'the room display of 4.12 is black']
  for (const text of words) await say(text)
  return await say('yes')
}

test('a person gets a ticket with the conversation, the agent is silent until they are done, and then answers', async () => {
  expect(await askForPerson()).toMatch(/Help request \*\*REQ\d+\*\* is open[\s\S]*I stay silent here/)
  const [ticket, ...others] = world.mock.tickets()
  expect(others).toEqual([])
  expect(ticket?.variables['summary']).toContain('the room display of 4.12 is black')
  expect(ticket?.variables['conversation']).toMatch(/Employee: hello\n.*Agent: Hello! I can help/)
  expect(ticket?.variables['conversation']).toMatch(/Employee: yes$/)
  const [held] = await handoffs()
  expect(held).toMatchObject({ state: 'open', why: 'asked', ticket: expect.stringMatching(/^REQ/) })

  expect(await say('it also hums')).toBe(`Noted for your colleague (${held?.ticket}).`)
  expect(await say('refresh')).toBe(`Noted for your colleague (${held?.ticket}).`)
  world.pipeline.pass(3_600_000)
  expect(await say('are you there?')).toMatch(/^A colleague has this: \*\*REQ/)
  expect(await say('hello?')).toMatch(/^Noted/)
  expect(world.mock.tickets()).toHaveLength(1)
  const history = await world.db.database<{ content: string }[]>`select content from messages where role = 'employee'`
  expect(history.map(({ content }) => content)).toContain('it also hums')

  expect(await releaseHandoff(world.db.database, held?.id ?? '', 'ops', world.pipeline.now())).toBe(true)
  expect(await releaseHandoff(world.db.database, held?.id ?? '', 'ops', world.pipeline.now())).toBe(false)
  expect(await say('refresh')).toContain('Would you like to go on')
})

test.each([
  ['menu', /^I am back\. \*\*REQ\d+\*\* stays open/],
  ['Main  menu', /^I am back\. \*\*REQ\d+\*\* stays open/],
  ['reset', /^Session cleared\. Starting fresh! \*\*REQ\d+\*\* stays open/],
])('"%s" gives the agent back and says that the ticket stays open', async (words, answer) => {
  await askForPerson()
  expect(await say('tokens')).toMatch(/^TOKEN_SUMMARY/)
  expect(await say(words)).toMatch(answer)
  expect(await handoffs()).toMatchObject([{ state: 'released', released_by: alice }])
  expect(await say('refresh')).toContain('Would you like to go on')
})

test('once ServiceNow has closed the ticket, the next message after an hour finds the agent', async () => {
  await askForPerson()
  world.mock.forgetTickets()
  expect(await say('hello?')).toMatch(/^Noted/)
  world.pipeline.pass(3_600_000)
  expect(await say('refresh')).toContain('Would you like to go on')
  expect(await handoffs()).toMatchObject([{ state: 'released', released_by: 'ticket' }])
})

test('a ServiceNow that is away closes nothing', async () => {
  let away = false
  await open({
    aroundTool: (call) => (asked, signal) => {
      if (away) throw new Fault('tool.unavailable', 'away')
      return call(asked, signal)
    },
  })
  await askForPerson()
  away = true
  world.pipeline.pass(3_600_000)
  expect(await say('refresh')).toMatch(/^A colleague has this/)
})

test('a spent budget files a ticket of the system’s own, once, whatever dies in between', async () => {
  let deaths = 3
  await open({ limits: { tokensPerSession: 1 }, aroundTool: dying(() => deaths-- > 0) })
  await say('my notebook is ancient and slow, can I get a replacement for it please?')
  const spent = await say('hm, what would you say is best for somebody who travels?')
  expect(spent).toMatch(/A colleague will look at it\. Your request is \*\*REQ\d+\*\*/)
  expect(deaths).toBeLessThan(0)
  const [ticket, ...others] = world.mock.tickets()
  expect(others).toEqual([])
  expect(ticket?.variables['summary']).toContain('somebody who travels')
  expect(ticket?.variables['conversation']).toContain('my notebook is ancient')
  expect(await handoffs()).toMatchObject([{ state: 'open', why: 'budget-spent' }])
  expect(await say('and now?')).toMatch(/^Noted/)
})

test('a turn that was given up is followed by one that calls a person; it cannot be asked for by anybody', async () => {
  const { pipeline, db } = world
  const { id, event } = await pipeline.accept(alice, 'the xylophone is broken')
  const normalized = await pipeline.handlers.normalize(event, quiet)
  const step = normalized && (await pipeline.handlers.route(normalized, quiet))
  const failure = { knativeerrordest: 'http://agent.x.svc', knativeerrorcode: 422, knativeerrordata: '' }
  for (const _ of [1, 2]) await pipeline.handlers.keeper({ ...(step ?? event), ...failure }, quiet)
  await pipeline.deliver()
  const said = await db.database<
    { role: string; content: string }[]
  >`select role, content from messages order by number`
  expect(said.map(({ role }) => role)).toEqual(['employee', 'agent', 'system', 'agent'])
  expect(said.at(-1)?.content).toMatch(/^A colleague will look at what went wrong\. Your request is \*\*REQ/)
  expect(world.mock.tickets()).toHaveLength(1)
  expect(world.mock.tickets()[0]?.variables['conversation']).toContain('the xylophone is broken')
  expect(await handoffs()).toMatchObject([{ state: 'open', why: 'failed' }])
  expect(id).toBeTruthy()
  await db.database`update requests set request_type = 'handoff' where after_failure is null`
  expect(await say('the violin, too')).toMatch(/^Noted/)
  expect(world.mock.tickets()).toHaveLength(1)
})

/** The tool server does it, and whoever asked dies before it hears of it. */
const dying =
  (dies: () => boolean) =>
  (call: AgentParts['callTool']): AgentParts['callTool'] =>
  async (asked, signal) => {
    const outcome = await call(asked, signal)
    if (asked.approval !== null && dies()) throw new Fault('tool.unavailable', 'died')
    return outcome
  }

test('on Slack those who take over hear of it, with the conversation, and of what the employee writes to them', async () => {
  const chat = recorder('slack')
  await open({ senders: sendersOf({ slack: chat }), desk: { channel: 'slack', thread: 'T1/C9' } })
  await askForPerson()
  await say('it also hums')
  await say('menu')
  await say('thanks')
  const told = chat.delivered.filter(({ thread }) => thread === 'T1/C9').map(({ text }) => text)
  expect(told).toEqual([
    expect.stringMatching(
      /^\*\*REQ\d+\*\*: alice\.johnson@company\.com asks for a person\.\n\n[\s\S]*room display of 4\.12/,
    ),
    expect.stringMatching(/^\*\*REQ\d+\*\*: alice\.johnson@company\.com writes:\n\nit also hums$/),
    expect.stringMatching(/^\*\*REQ\d+\*\*: alice\.johnson@company\.com goes on with the agent/),
  ])
})
