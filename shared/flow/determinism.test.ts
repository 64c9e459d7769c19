import fc from 'fast-check'
import { expect, test } from 'vitest'
import { advance } from './advance.ts'
import type { EffectResult } from './effects.ts'
import { loadAgents } from './load.ts'
import type { FlowState, Input, Scope } from './state.ts'
import { Conversation, sampleAgents, sampleWorld } from './testing/conversation.ts'

const agents = await loadAgents(sampleAgents)

const words = fc.oneof(
  fc.constantFrom(
    'yes',
    'no',
    '1',
    '3',
    '9',
    'the AIR-15',
    'how often',
    'main menu',
    'refresh',
    'CC-1234',
    'seven for CC-1234',
  ),
  fc.constantFrom('yes, but not that one', 'another one', 'hello', '', 'sí', 'proceed', '5 seats, mine is slow'),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
)
const label = fc.option(
  fc.oneof(
    fc.constantFrom('proceed', 'decline', 'question', 'back', 'other', 'unsure', 'laptops', '__proto__'),
    fc.string(),
  ),
)
const values = fc.option(
  fc.dictionary(
    fc.oneof(fc.constantFrom('laptop', 'seats', 'cost_centre', 'reason', '__proto__'), fc.string()),
    fc.oneof(fc.constantFrom('Air', 'CC-1234', 'mine is slow'), fc.integer(), fc.string(), fc.constant(null)),
  ),
)
const turn = fc.record({
  words,
  label,
  values,
  sentences: fc.option(fc.array(fc.integer({ min: -2, max: 9 }))),
  failed: fc.boolean(),
  hours: fc.integer({ min: 0, max: 30 }),
})

test('the same comes of the same; continue is the same effect again; nothing is written without a yes', () => {
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 12 }), (turns) => {
      const talk = new Conversation(agents, 'router')
      for (const { words: text, hours, failed, ...answers } of turns) {
        talk.now = new Date(talk.now.getTime() + hours * 3_600_000)
        Object.assign(talk.world, answers)
        const outcome: EffectResult & { kind: 'called' } = failed
          ? { kind: 'called', outcome: { ok: false, code: 'tool.refused', message: 'no' } }
          : { kind: 'called', outcome: { ok: true, value: { number: 'REQ1' } } }
        talk.world.calls = { 'desk.open_ticket': outcome.outcome }
        talk.say(text)
        for (const effect of talk.effects) {
          if (effect.kind !== 'call' || effect.tool !== 'desk.open_ticket') continue
          expect(talk.changes).toContainEqual({ kind: 'grant', id: effect.approval })
        }
        if (talk.end === 'end') return
      }
    }),
    { numRuns: 300 },
  )
})

/** Runs every advance of a conversation twice, and after each effect once more with `continue`. */
class Doubled extends Conversation {
  override step(message: string, input: Input) {
    const before = this.state
    const frozen = deepFreeze(structuredClone(before))
    const scope: Scope = { ...this.scope(message), newId: (purpose) => `id of ${purpose}` }
    const once = advance(this.agents, frozen, input, scope)
    expect(advance(this.agents, structuredClone(before), structuredClone(input), scope)).toEqual(once)
    expect(JSON.parse(JSON.stringify(once.state))).toEqual(once.state)
    if (once.move.kind === 'effect') {
      const granted = once.approvals.some(({ kind }) => kind === 'grant')
      const approval =
        scope.approval !== null && granted ? { ...scope.approval, state: 'granted' as const } : scope.approval
      const stored: FlowState = JSON.parse(JSON.stringify(once.state))
      const again = advance(this.agents, stored, { kind: 'continue' }, { ...scope, approval })
      expect(again).toEqual({ ...once, said: [], approvals: [] })
    }
    return super.step(message, input)
  }
}

test('every step of a conversation can be taken again', () => {
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 10 }), (turns) => {
      const talk = new Doubled(agents, 'laptops')
      for (const { words: text, hours, failed: _, ...answers } of turns) {
        talk.now = new Date(talk.now.getTime() + hours * 3_600_000)
        Object.assign(talk.world, { calls: sampleWorld.calls }, answers)
        talk.say(text)
        if (talk.end === 'end') return
      }
    }),
    { numRuns: 300 },
  )
})

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member)
    Object.freeze(value)
  }
  return value
}
