import { expect, test } from 'vitest'
import { advance } from '../advance.ts'
import type { Step } from '../agent.ts'
import type { ApprovalChange, Outcome } from '../effects.ts'
import { gatherAgents } from '../gather-agents.ts'
import type { Input, Scope } from '../state.ts'
import { startFlow } from '../state.ts'
import { onlyAgent } from '../testing/only.ts'

const say = (text: string): Step => ({ verb: 'say', say: text, next: 'end' })
const steps: Record<string, Step> = {
  a: {
    verb: 'confirm',
    tool: 'desk.open',
    arguments: { seats: '7' },
    ask: 'Seven seats?',
    again: null,
    expiresMs: 1_000,
    yes: 'boss',
    no: 'declined',
    otherwise: 'declined',
    expired: null,
  },
  boss: {
    verb: 'approve',
    confirm: 'a',
    tool: 'desk.open',
    by: 'boss',
    ask: '{{ person.email }} wants seven seats.',
    waiting: 'I asked {{ boss }}.',
    expiresMs: 86_400_000,
    yes: 'file',
    no: 'declined',
    expired: 'late',
    nobody: 'nobody',
  },
  file: {
    verb: 'call',
    tool: 'desk.open',
    arguments: {},
    approval: 'boss',
    save: null,
    timeoutMs: 1_000,
    retries: 0,
    failure: 'end',
    next: 'done',
  },
  done: say('Open.'),
  declined: say('Not approved.'),
  late: say('Nobody decided.'),
  nobody: say('Nobody to ask.'),
  end: { verb: 'end' },
}
const agentWith = (boss: string | null) =>
  gatherAgents([{ agent: { ...onlyAgent(steps), variables: { boss } }, version: '0' }])
const now = new Date('2026-03-04T10:00:00Z')
const scope = (approval: Scope['approval'], speaker: string | null = 'ada@example.com'): Scope => ({
  person: { email: 'ada@example.com' },
  speaker,
  button: null,
  now,
  message: 'Declined.',
  newId: (purpose) => `id of ${purpose}`,
  approval,
})
const opened = (outcome: Outcome): Extract<ApprovalChange, { kind: 'open' }> => {
  const change = outcome.approvals.find(({ kind }) => kind === 'open')
  if (change?.kind !== 'open') throw new Error('nothing was opened')
  return change
}

/** Asked, and answered with yes by the employee. */
function afterYes(boss: string | null): { agents: ReturnType<typeof agentWith>; outcome: Outcome } {
  const agents = agentWith(boss)
  const [agent] = agents.byName.values()
  if (agent === undefined) throw new Error('no agent')
  const asked = advance(agents, startFlow(agent), { kind: 'message', text: 'x' }, scope(null))
  const approval = { id: opened(asked).id, state: 'open' as const, expiresAt: new Date(now.getTime() + 1_000) }
  return { agents, outcome: advance(agents, asked.state, { kind: 'message', text: 'yes' }, scope(approval)) }
}

test('the employee is told who is asked, the conversation is free, and the flow waits in the approval', () => {
  const { outcome } = afterYes('Bob@Example.com')
  expect(outcome).toMatchObject({ said: ['I asked Bob@Example.com.'], move: { kind: 'end' } })
  expect(outcome.approvals.map(({ kind, id }) => `${kind} ${id}`)).toEqual([
    'grant id of approval a',
    'use id of approval a',
    'open id of approval boss',
  ])
  expect(opened(outcome)).toMatchObject({
    person: 'bob@example.com',
    question: 'ada@example.com wants seven seats.',
    arguments: { seats: 7 },
    expiresAt: new Date('2026-03-05T10:00:00Z'),
    continuation: { at: 'boss', waiting: 'decision', approval: 'id of approval boss' },
  })
})

test.each([[null], [''], ['no address'], ['ada@example.com'], ['ADA@example.com ']])(
  'nobody else to ask (%s): nothing is opened, and the yes is taken back',
  (boss) => {
    const { outcome } = afterYes(boss)
    expect(outcome.said).toEqual(['Nobody to ask.'])
    expect(outcome.approvals.map(({ kind }) => kind)).toEqual(['grant', 'expire'])
  },
)

function decided(state: 'open' | 'granted' | 'used' | 'declined' | 'expired', input: Input = { kind: 'decision' }) {
  const { agents, outcome } = afterYes('bob@example.com')
  const { continuation, id } = opened(outcome)
  if (continuation === null) throw new Error('no continuation')
  return advance(agents, continuation, input, scope({ id, state, expiresAt: now }, 'bob@example.com'))
}

test.each(['granted', 'used'] as const)('%s: it is filed with what was approved, under that approval', (state) => {
  expect(decided(state).move).toMatchObject({
    kind: 'effect',
    effect: { tool: 'desk.open', arguments: { seats: 7 }, approval: 'id of approval boss' },
  })
})

test.each([
  ['declined', 'Not approved.'],
  ['expired', 'Nobody decided.'],
] as const)('%s: it says so and ends', (state, text) => {
  expect(decided(state)).toMatchObject({ said: [text], move: { kind: 'end' } })
})

test('nothing goes on before somebody decided, whatever is said', () => {
  expect(() => decided('open')).toThrow('before anybody decided')
  expect(() => decided('open', { kind: 'message', text: 'yes' })).toThrow('before anybody decided')
})

test('words that a program says are not the yes of the person', () => {
  const agents = agentWith('bob@example.com')
  const [agent] = agents.byName.values()
  if (agent === undefined) throw new Error('no agent')
  const asked = advance(agents, startFlow(agent), { kind: 'message', text: 'x' }, scope(null))
  const approval = { id: opened(asked).id, state: 'open' as const, expiresAt: new Date(now.getTime() + 1_000) }
  for (const speaker of [null, 'bob@example.com']) {
    const outcome = advance(agents, asked.state, { kind: 'message', text: 'yes' }, scope(approval, speaker))
    expect(outcome).toMatchObject({
      said: ['Only ada@example.com can say yes to this.', 'Seven seats?'],
      approvals: [],
      move: { kind: 'wait' },
    })
  }
})
