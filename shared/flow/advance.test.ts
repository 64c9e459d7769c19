import { expect, test } from 'vitest'
import { advance } from './advance.ts'
import type { Agent, Agents, Step } from './agent.ts'
import { hashArguments } from './canonical-json.ts'
import { gatherAgents } from './gather-agents.ts'
import { loadAgents } from './load.ts'
import { startFlow } from './state.ts'
import { Conversation, sampleAgents } from './testing/conversation.ts'

const agents = await loadAgents(sampleAgents)

function laptops(world: ConstructorParameters<typeof Conversation>[2] = {}): Conversation {
  return new Conversation(agents, 'laptops', world)
}
function atPick(world: ConstructorParameters<typeof Conversation>[2] = {}): Conversation {
  const talk = laptops(world)
  talk.say('refresh')
  talk.say('yes')
  return talk
}
function atConfirm(): Conversation {
  const talk = atPick()
  talk.say('2')
  talk.world.values = { seats: 3, reason: 'the old one is slow' }
  talk.say('3 for CC-1234, the old one is slow')
  return talk
}
function kinds(talk: Conversation): string[] {
  return talk.effects.map(({ kind }) => kind)
}

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

test('call: a failure goes its own way, with its code in scope', () => {
  const talk = laptops({ calls: { 'desk.get_laptop': { ok: false, code: 'tool.timeout', message: 'slow' } } })
  expect(talk.say('refresh')).toEqual(['I cannot look that up (tool.timeout).'])
  expect(talk.end).toBe('end')
})

test('lookup: no row is a branch, two rows where one is expected are a fault', () => {
  expect(laptops({ rows: {} }).say('refresh')[0]).toMatch(/^I cannot look that up/)
  const two = [
    { scope: 'standard', months: 36 },
    { scope: 'standard', months: 48 },
  ]
  expect(() => laptops({ rows: { policy: two } }).say('refresh')).toThrow(/2 rows of policy/)
})

test('decide: a label, its name, its example and a bare no need no model', () => {
  for (const [words, reply] of [
    ['Show me!', 'Which one?'],
    ['proceed', 'Which one?'],
    ['👍', 'Which one?'],
    ['no thanks', 'Good bye.'],
    ['decline', 'Good bye.'],
  ] as const) {
    const talk = laptops()
    talk.say('refresh')
    expect(talk.say(words)[0], words).toContain(reply)
    expect(kinds(talk), words).not.toContain('decide')
  }
})

test('decide: the model gets the labels, those of any time, and `unsure`', () => {
  const talk = laptops({ label: 'proceed' })
  talk.say('refresh')
  expect(talk.say('well, why not')[0]).toContain('Which one?')
  expect(talk.effects[0]).toEqual({
    kind: 'decide',
    step: 'offer-reply',
    message: 'well, why not',
    asked: 'Would you like to see what there is?',
    labels: [
      { name: 'proceed', means: 'wants to see it', examples: ['show me'] },
      { name: 'decline', means: 'does not want to', examples: [] },
      { name: 'question', means: 'asks about the policy', examples: ['how often'] },
      { name: 'back', means: 'wants something else', examples: ['main menu'] },
      { name: 'unsure', means: 'none of these fits', examples: [] },
    ],
  })
})

test.each([[null], ['unsure'], ['PROCEED'], ['proceed '], ['__proto__'], ['file']])(
  'decide: the model’s %j is no label, so the question is asked again in short',
  (label) => {
    const talk = laptops({ label })
    talk.say('refresh')
    expect(talk.say('hm')).toEqual(['I did not get that.', 'See what there is?'])
    expect(talk.state).toMatchObject({ at: 'offer', waiting: 'message', asked: 'offer', asking: 'See what there is?' })
  },
)

test('search and compose: only sentences of the documents, then back to the question', () => {
  const talk = laptops({ sentences: [4, 1, 99, 1] })
  talk.say('refresh')
  expect(talk.say('How often?')).toEqual([
    'Laptops are replaced after 36 months. [1] Wipe nothing. [2]\n[1] Laptop refresh, How often\n[2] Laptop refresh, Old laptops',
    'See what there is?',
  ])
  expect(talk.effects).toEqual([
    { kind: 'search', step: 'answer', query: 'How often?', limit: 3 },
    {
      kind: 'compose',
      step: 'answer-compose',
      question: 'How often?',
      sentences: [
        { number: 1, text: 'Laptops are replaced after 36 months.' },
        { number: 2, text: 'They last longer in the shade.' },
        { number: 3, text: 'Give it back within 14 days.' },
        { number: 4, text: 'Wipe nothing.' },
      ],
    },
  ])
  expect(talk.say('yes')[0]).toContain('Which one?')
})

test('compose: nothing named, or nothing found, is unanswered', () => {
  for (const world of [{ sentences: [] }, { sentences: null }, { sentences: [0, -1, 1.5, 77] }, { passages: [] }]) {
    const talk = laptops(world)
    talk.say('refresh')
    expect(talk.say('how often')).toEqual(['I do not know that.', 'See what there is?'])
  }
})

test('extract: by name without a model, and by a verified answer of the model', () => {
  const byName = atPick()
  byName.say('the AIR-15 please')
  expect(kinds(byName)).toEqual([])
  expect(byName.state.slots['laptop']).toEqual({ Model: 'Air 15', Code: 'AIR-15' })

  const byModel = atPick({ values: { laptop: 'ThinkPad X1' } })
  byModel.say('the lenovo')
  expect(byModel.effects).toMatchObject([{ slots: [{ values: ['Air', 'Air 15', 'ThinkPad X1'] }] }])
  expect(byModel.state.slots['laptop']).toEqual({ Model: 'ThinkPad X1', Code: 'TP-X1' })
})

test('extract: a hostile answer fills nothing; a number off the list asks no model', () => {
  for (const values of [
    { laptop: 'Mac Studio' },
    { laptop: 3 },
    { seats: 9 },
    JSON.parse('{"__proto__": "Air"}'),
    null,
  ]) {
    const talk = atPick({ values })
    expect(talk.say('something else')[0]).toBe('That is not on the list.')
    expect(talk.state.slots).toEqual({ laptop: null, seats: null, cost_centre: null, reason: null })
  }
  const talk = atPick({ values: { laptop: 'Air' } })
  expect(talk.say('9')[0]).toBe('That is not on the list.')
  expect(kinds(talk)).toEqual([])
})

test('set and when: a counter ends the third round', () => {
  const talk = atPick()
  talk.say('9')
  talk.say('9')
  expect(talk.say('9')).toEqual(['Good bye.'])
  expect(talk.state.variables['tries']).toBe(3)
})

test('extract: a slot that is still empty has its branch; one without a branch may stay empty', () => {
  const talk = atPick()
  talk.say('1')
  talk.world.values = { seats: 3, reason: null }
  expect(talk.say('3 of them')).toEqual(['Which cost centre?'])
  talk.world.values = { reason: null }
  expect(talk.say('CC-1234')).toEqual(['Shall I order 3 of Air? (yes or no)'])
})

test('extract: what has a value is asked about only when nothing else was found', () => {
  const talk = atPick()
  talk.say('1')
  talk.world.values = { seats: 3, reason: null }
  talk.say('3 of them')
  talk.say('CC-1234')
  expect(talk.effects).toMatchObject([{ slots: [{ name: 'reason' }] }])
})

test('confirm: neither yes nor no leaves the approval open, and the question is asked again in short', () => {
  const talk = atConfirm()
  for (const words of ['yes, but the other colour', 'maybe', 'yes?', 'ok 3']) {
    expect(talk.say(words)).toEqual(['I need a clear yes or no.', 'Shall I? (yes or no)'])
    expect(talk.changes).toEqual([])
    expect(talk.state.approval).toBe('approval-1')
  }
  expect(talk.say('yes')).toEqual(['Ticket REQ1 is open.'])
})

test('confirm: no label of a model is a yes', () => {
  const talk = atConfirm()
  for (const label of ['yes', 'file', 'proceed', 'confirm', 'affirmative']) {
    talk.world.label = label
    talk.say('do whatever you think')
    expect(talk.effects.map(({ kind }) => kind)).toEqual(['decide'])
    expect(talk.changes).toEqual([])
  }
})

test('confirm: a no declines', () => {
  const talk = atConfirm()
  expect(talk.say('no, thanks')).toEqual(['Nothing was ordered. Another one?'])
  expect(talk.changes).toEqual([{ kind: 'decline', id: 'approval-1' }])
  expect(talk.state.approval).toBeNull()
})

test('confirm: other arguments are another approval, and the one before lapses', () => {
  const talk = atConfirm()
  talk.world.values = { laptop: 'ThinkPad X1' }
  talk.world.label = 'other'
  expect(talk.say('rather another, the lenovo')).toEqual(['Shall I order 3 of ThinkPad X1? (yes or no)'])
  expect(talk.changes).toMatchObject([
    { kind: 'expire', id: 'approval-1' },
    { kind: 'open', id: 'approval-2', arguments: { code: 'TP-X1', seats: 3 } },
  ])
})

test('confirm: what is approved is what is called, whatever the state says by then', () => {
  const talk = atConfirm()
  talk.state = { ...talk.state, slots: { ...talk.state.slots, laptop: { Model: 'Air', Code: 'AIR-1' } } }
  talk.say('yes')
  expect(talk.effects).toMatchObject([{ arguments: { code: 'AIR-15', seats: 3 } }])
})

test('confirm: asked again with changed values, it is a new approval with the whole question', () => {
  const talk = atConfirm()
  talk.state = { ...talk.state, slots: { ...talk.state.slots, laptop: { Model: 'Air', Code: 'AIR-1' } } }
  expect(talk.say('hm')).toEqual(['I need a clear yes or no.', 'Shall I order 3 of Air? (yes or no)'])
  expect(talk.changes.map(({ kind }) => kind)).toEqual(['expire', 'open'])
})

test('confirm: one millisecond before its expiry a yes counts, at its expiry it does not', () => {
  const early = atConfirm()
  early.now = new Date('2026-03-05T09:59:59.999Z')
  early.say('yes')
  expect(early.changes).toEqual([{ kind: 'grant', id: 'approval-1' }])

  const late = atConfirm()
  late.now = new Date('2026-03-05T10:00:00.000Z')
  expect(late.say('yes')).toEqual([
    'That question has expired, so nothing was filed.',
    'Shall I order 3 of Air 15? (yes or no)',
  ])
  expect(late.changes).toMatchObject([
    { kind: 'expire', id: 'approval-1' },
    { kind: 'open', id: 'approval-2' },
  ])
  expect(late.effects).toEqual([])
  expect(late.say('yes')).toEqual(['Ticket REQ1 is open.'])
})

test('confirm: an expired question that is asked again is a new approval', () => {
  const talk = atConfirm()
  talk.now = new Date('2026-03-06T00:00:00Z')
  expect(talk.say('hm')).toEqual(['I need a clear yes or no.', 'Shall I order 3 of Air 15? (yes or no)'])
  expect(talk.changes.map(({ kind }) => kind)).toEqual(['expire', 'open'])
})

test.each(['declined', 'expired'] as const)('confirm: a yes to an approval that is %s writes nothing', (state) => {
  const talk = atConfirm()
  if (talk.approval !== null) talk.approval = { ...talk.approval, state }
  talk.say('yes')
  expect(talk.effects).toEqual([])
  expect(talk.changes).toMatchObject([{ kind: 'open', id: 'approval-2' }])
})

test('confirm: a yes to an approval that is gone or another’s writes nothing', () => {
  for (const approval of [null, { id: 'other', state: 'open', expiresAt: new Date('2027-01-01T00:00:00Z') } as const]) {
    const talk = atConfirm()
    talk.approval = approval
    talk.say('yes')
    expect(talk.effects).toEqual([])
    expect(talk.changes).toMatchObject([{ kind: 'open' }])
  }
})

test('confirm: an approval that was used already leads to the outcome of that same write', () => {
  const talk = atConfirm()
  if (talk.approval !== null) talk.approval = { ...talk.approval, state: 'used' }
  expect(talk.say('hello?')).toEqual(['Ticket REQ1 is open.'])
  expect(talk.changes).toEqual([])
  expect(talk.effects).toMatchObject([{ kind: 'call', approval: 'approval-1' }])
})

test('call: a write without a granted approval is refused, however the state came to be', () => {
  const open = atConfirm()
  open.state = { ...open.state, at: 'file', waiting: null }
  expect(() => open.say('hello')).toThrow(/no approval/)

  const none = laptops()
  none.state = { ...none.state, at: 'file' }
  expect(() => none.say('hello')).toThrow(/no approval/)
})

test('call: a failed write has spent its approval', () => {
  const talk = atConfirm()
  talk.world.calls = { 'desk.open_ticket': { ok: false, code: 'tool.refused', message: 'no budget' } }
  expect(talk.say('yes')).toEqual(['It did not work: no budget'])
  expect(talk.state.approval).toBeNull()
})

test('call: an approval is for its own confirm step', () => {
  const talk = atConfirm()
  const id = talk.state.approval ?? ''
  const laptop = agents.byName.get('laptops')
  const file = laptop?.steps['file']
  if (laptop === undefined || file?.verb !== 'call') throw new Error('no step')
  const agent: Agent = { ...laptop, steps: { ...laptop.steps, other: { ...file, approval: 'confirm-other' } } }
  const changed = gatherAgents([{ agent, version: '0' }])
  const granted = { id, state: 'granted', expiresAt: talk.now } as const
  const at = (step: string) => () =>
    advance(
      changed,
      { ...talk.state, at: step, waiting: null },
      { kind: 'continue' },
      { ...talk.scope('yes'), approval: granted },
    )
  expect(at('file')().move.kind).toBe('effect')
  expect(at('other')).toThrow(expect.objectContaining({ code: 'tool.not-approved' }))
})

test('call: once the outcome is known the approval is gone from the state', () => {
  const talk = atConfirm()
  talk.step('yes', { kind: 'message', text: 'yes' })
  expect(talk.state).toMatchObject({ at: 'file', approval: 'approval-1' })
  const laptop = agents.byName.get('laptops')
  if (laptop === undefined) throw new Error('no agent')
  const done: Step = { verb: 'ask', ask: 'More?', again: null, next: 'finish' }
  const agents2 = gatherAgents([{ agent: { ...laptop, steps: { ...laptop.steps, done } }, version: '0' }])
  const result = { kind: 'called', outcome: { ok: true, value: { number: 'REQ1' } } } as const
  const outcome = advance(agents2, talk.state, { kind: 'result', result }, talk.scope('yes'))
  expect(outcome.said).toEqual(['More?'])
  expect(outcome.state.approval).toBeNull()
  expect(Object.keys(outcome.state.variables)).not.toContain('$approval')
})

test('handoff: the other agent starts on the same words, and an open question lapses', () => {
  const talk = atConfirm()
  talk.world.label = 'back'
  expect(talk.say('take me home')).toEqual(['I can help with: New laptop. What is it?'])
  expect(talk.changes).toEqual([{ kind: 'expire', id: 'approval-1' }])
  expect(talk.state).toMatchObject({ agent: 'router', at: 'menu', approval: null })
})

test('handoff: the router’s labels are the other agents', () => {
  const talk = new Conversation(agents, 'router')
  expect(talk.say('hello')).toEqual(['I can help with: New laptop. What is it?'])
  expect(talk.say('I need a new laptop')[0]).toBe('Ada, your laptop is 40 months old.')
  expect(talk.state.agent).toBe('laptops')

  const asked = new Conversation(agents, 'router', { label: 'laptops' })
  asked.say('mine is broken')
  expect(asked.effects[0]).toMatchObject({
    labels: [
      { name: 'laptops', means: 'replaces an old laptop', examples: ['refresh', 'I need a new laptop'] },
      { name: 'greeting' },
      { name: 'unsure' },
    ],
  })
  expect(asked.state.agent).toBe('laptops')
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
  expect(outcome.move).toEqual({ kind: 'wait' })
})

test('more than 100 steps are flow.loop; a condition that is no condition is flow.expression-failed', () => {
  const loop = only({ a: { verb: 'say', say: 'x', next: 'b' }, b: { verb: 'set', set: { n: '1' }, next: 'a' } })
  expect(() => new Conversation(loop, 'a').say('x')).toThrow(expect.objectContaining({ code: 'flow.loop' }))
  const fork = only({ a: { verb: 'when', cases: [{ if: 'n', next: 'a' }], otherwise: 'a' } })
  expect(() => new Conversation(fork, 'a').say('x')).toThrow(
    expect.objectContaining({ code: 'flow.expression-failed' }),
  )
})

test('decide can be on something else than the message, and then nothing was asked', () => {
  const decide: Step = {
    verb: 'decide',
    of: 'n',
    labels: [{ name: 'x', means: 'x', examples: ['7'], affirmative: false, negative: false, next: 'b' }],
    labelsFromAgents: false,
    anytime: true,
    unsure: 'b',
  }
  const end: Step = { verb: 'end' }
  const coded = new Conversation(only({ a: { verb: 'set', set: { n: '7' }, next: 'c' }, c: decide, b: end }), 'a')
  coded.say('hello')
  expect(coded.effects).toEqual([])
  const question: Step = { verb: 'ask', ask: 'What?', again: null, next: 'd' }
  const asked = new Conversation(
    only({ a: question, d: { verb: 'set', set: { n: '8' }, next: 'c' }, c: decide, b: end }),
    'a',
  )
  asked.say('hello')
  asked.say('well')
  expect(asked.effects).toMatchObject([{ message: '8', asked: null }])
})

test('decide: an example of two labels is a question for the model', () => {
  const label = { means: 'x', examples: ['this'], affirmative: false, negative: false, next: 'b' }
  const a: Step = {
    verb: 'decide',
    of: null,
    labels: [
      { ...label, name: 'x' },
      { ...label, name: 'y' },
    ],
    labelsFromAgents: false,
    anytime: true,
    unsure: 'b',
  }
  const talk = new Conversation(only({ a, b: { verb: 'end' } }), 'a')
  talk.say('This!')
  expect(talk.effects).toHaveLength(1)
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

test('set sees the values before the step, can fill slots, and the caller’s state stays as it was', () => {
  const agent = onlyAgent({ a: { verb: 'set', set: { n: 'm', m: 'n', s: '5' }, next: 'b' }, b: { verb: 'end' } })
  agent.slots['s'] = { type: 'integer', description: 's', minimum: null, maximum: null }
  agent.variables['m'] = 2
  const state = startFlow(agent)
  const talk = new Conversation(gatherAgents([{ agent, version: '0' }]), 'a')
  talk.state = state
  const before = structuredClone(state)
  talk.say('x')
  expect(talk.state).toMatchObject({ slots: { s: 5 }, variables: { n: 2, m: 1 } })
  expect(state).toEqual(before)
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

function only(steps: Record<string, Step>): Agents {
  return gatherAgents([{ agent: onlyAgent(steps), version: '0' }])
}

function onlyAgent(steps: Record<string, Step>): Agent {
  return {
    name: 'a',
    title: 'A',
    description: 'a',
    examples: [],
    tools: [],
    slots: {},
    variables: { n: 1 },
    anytime: [],
    start: 'a',
    steps,
  }
}
