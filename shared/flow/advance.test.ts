import { expect, test } from 'vitest'
import { advance } from './advance.ts'
import type { Agent } from './agent.ts'
import { hashArguments } from './canonical-json.ts'
import { gatherAgents } from './gather-agents.ts'
import { Conversation } from './testing/conversation.ts'
import { agents, kinds, laptops } from './testing/laptops.ts'
import { only } from './testing/only.ts'

test('greeting to ticket, with one question to the model on the way', () => {
  const talk = laptops()
  expect(talk.say('refresh')).toEqual(['Ada, your laptop is 40 months old.', 'Would you like to see what there is?'])
  expect(talk.effects).toEqual([
    {
      kind: 'call',
      step: 'look-up',
      tool: 'desk.get_laptop',
      arguments: {},
      approval: null,
      timeoutMs: 10_000,
      retries: 1,
    },
    { kind: 'lookup', step: 'policy', table: 'policy', where: { scope: 'standard' } },
  ])
  expect(talk.say('Yes, please!')).toEqual(['Which one?\n1. Air\n2. Air 15\n3. ThinkPad X1'])
  expect(kinds(talk)).toEqual(['lookup'])
  expect(talk.say('the second one')).toEqual(['How many, for which cost centre, and why?'])
  expect(kinds(talk)).toEqual([])

  talk.world.values = { seats: 3, reason: 'the old one is slow' }
  expect(talk.say('3 for CC-1234, the old one is slow')).toEqual(['Shall I order 3 of Air 15? (yes or no)'])
  expect(talk.effects).toEqual([
    {
      kind: 'extract',
      step: 'details',
      message: '3 for CC-1234, the old one is slow',
      asked: 'How many, for which cost centre, and why?',
      slots: [
        { name: 'seats', type: 'integer', description: 'how many', minimum: 1, maximum: 50 },
        { name: 'reason', type: 'text', description: 'why it is needed' },
      ],
    },
  ])
  expect(talk.changes).toEqual([
    {
      kind: 'open',
      id: 'approval-1',
      step: 'confirm-ticket',
      tool: 'desk.open_ticket',
      arguments: { code: 'AIR-15', seats: 3 },
      argumentsHash: hashArguments({ seats: 3, code: 'AIR-15' }),
      person: 'ada@example.com',
      expiresAt: new Date('2026-03-05T10:00:00Z'),
      question: 'Shall I order 3 of Air 15? (yes or no)',
      continuation: null,
    },
  ])
  expect(talk.state.waiting).toBe('approval')

  expect(talk.say('yes')).toEqual(['Ticket REQ1 is open.'])
  expect(talk.changes).toEqual([{ kind: 'grant', id: 'approval-1' }])
  expect(talk.effects).toEqual([
    {
      kind: 'call',
      step: 'file',
      tool: 'desk.open_ticket',
      arguments: { code: 'AIR-15', seats: 3 },
      approval: 'approval-1',
      timeoutMs: 15_000,
      retries: 0,
    },
  ])
  expect(talk.end).toBe('end')
  expect(talk.state.approval).toBeNull()
})

test('say and when: what is shown comes from the records', () => {
  const talk = laptops({ employee: { name: 'Ada', months: 35 } })
  expect(talk.say('refresh')[0]).toBe('Ada, your laptop is 35 months old. That is too young.')
})

test('a state that names what is not there any more is flow.step-unknown', () => {
  for (const change of [
    { at: 'gone' },
    { at: 'constructor' },
    { agent: 'gone' },
    { at: 'finish', waiting: 'message' },
  ] as const) {
    const talk = laptops()
    talk.state = { ...talk.state, ...change }
    expect(() => talk.say('hello')).toThrow(expect.objectContaining({ code: 'flow.step-unknown' }))
  }
})

test('a result of the wrong kind is refused', () => {
  const talk = laptops()
  talk.step('refresh', { kind: 'message', text: 'refresh' })
  const result = { kind: 'decided', label: 'proceed' } as const
  expect(() => talk.step('refresh', { kind: 'result', result })).toThrow(/does not wait for 'decided'/)
})

test('continue on a flow that waits for the employee goes on waiting', () => {
  const talk = laptops()
  talk.say('refresh')
  const outcome = talk.step('', { kind: 'continue' })
  expect(outcome).toMatchObject({ said: [], approvals: [] })
  expect(outcome.move).toEqual({ kind: 'wait', offer: null })
})

test('more than 100 steps are flow.loop; a condition that is no condition is flow.expression-failed', () => {
  const loop = only({ a: { verb: 'say', say: 'x', next: 'b' }, b: { verb: 'set', set: { n: '1' }, next: 'a' } })
  expect(() => new Conversation(loop, 'a').say('x')).toThrow(expect.objectContaining({ code: 'flow.loop' }))
  const fork = only({ a: { verb: 'when', cases: [{ if: 'n', next: 'a' }], otherwise: 'a' } })
  expect(() => new Conversation(fork, 'a').say('x')).toThrow(
    expect.objectContaining({ code: 'flow.expression-failed' }),
  )
})

test('in scope: the person, the words without space around them, the day in UTC, the other agents', () => {
  const set = { p: 'person.email', w: 'message', d: 'today', f: 'failure', g: 'agents' }
  const talk = new Conversation(only({ a: { verb: 'set', set, next: 'b' }, b: { verb: 'end' } }), 'a')
  talk.say('  two  words ')
  expect(talk.state.variables).toMatchObject({
    p: 'ada@example.com',
    w: 'two  words',
    d: '2026-03-04',
    f: null,
    g: [{ name: 'a', title: 'A', description: 'a' }],
  })
})

test('an agent is plain JSON: a copy runs as it does', () => {
  const copies = gatherAgents(
    [...agents.byName.values()].map((agent): { agent: Agent; version: string } => ({
      agent: JSON.parse(JSON.stringify(agent)),
      version: agents.version(agent.name),
    })),
  )
  const talk = new Conversation(agents, 'laptops')
  const input = { kind: 'message', text: 'refresh' } as const
  expect(advance(copies, talk.state, input, talk.scope('refresh'))).toEqual(
    advance(agents, talk.state, input, talk.scope('refresh')),
  )
})
