import { fileURLToPath } from 'node:url'
import { advance } from '../advance.ts'
import type { Agents } from '../agent.ts'
import type { ApprovalChange, Effect, EffectResult, Outcome } from '../effects.ts'
import type { Json } from '../json.ts'
import type { Offer } from '../offer.ts'
import { type FlowState, type Input, type Scope, startFlow } from '../state.ts'

/** The folder of the agents that the tests of the flow talk to. */
export const sampleAgents = fileURLToPath(new URL('./agents', import.meta.url))

/** What the world answers to effects; an effect without an answer stays out. */
export interface World {
  employee: Json
  rows: Record<string, Record<string, Json>[]>
  passages: Extract<EffectResult, { kind: 'passages' }>['passages']
  label: string | null
  values: Record<string, string | number | null> | null
  sentences: number[] | null
  calls: Record<string, Extract<EffectResult, { kind: 'called' }>['outcome']>
}

export const sampleWorld: World = {
  employee: { name: 'Ada', months: 40 },
  rows: {
    policy: [{ scope: 'standard', months: 36 }],
    offers: [
      { Model: 'Air', Code: 'AIR-1' },
      { Model: 'Air 15', Code: 'AIR-15' },
      { Model: 'ThinkPad X1', Code: 'TP-X1' },
    ],
  },
  passages: [
    {
      title: 'Laptop refresh',
      heading: 'How often',
      name: 'refresh',
      content: 'Laptops are replaced after 36 months. They last longer in the shade.',
    },
    {
      title: 'Laptop refresh',
      heading: 'Old laptops',
      name: 'refresh',
      content: '- Give it back within 14 days.\n- Wipe nothing.',
    },
  ],
  label: null,
  values: null,
  sentences: null,
  calls: { 'desk.open_ticket': { ok: true, value: { number: 'REQ1' } } },
}

/** A conversation with the engine as a stage leads it: approvals kept, effects answered, hand-offs followed. */
export class Conversation {
  state: FlowState
  now = new Date('2026-03-04T10:00:00Z')
  said: string[] = []
  effects: Effect[] = []
  changes: ApprovalChange[] = []
  approval: Scope['approval'] = null
  end: Outcome['move']['kind'] | null = null
  private ids = 0
  readonly agents: Agents
  readonly world: World

  constructor(agents: Agents, agent: string, world: Partial<World> = {}) {
    this.agents = agents
    this.world = { ...sampleWorld, ...world }
    const found = agents.byName.get(agent)
    if (found === undefined) throw new Error(`no agent ${agent}`)
    this.state = startFlow(found)
  }

  /** Says something, answers every effect from the world, and gives what the agent said. */
  say(text: string): string[] {
    this.said = []
    this.effects = []
    this.changes = []
    let outcome = this.step(text, { kind: 'message', text })
    for (;;) {
      const { move } = outcome
      if (move.kind === 'effect') {
        this.effects.push(move.effect)
        outcome = this.step(text, { kind: 'result', result: this.answer(move.effect) })
      } else if (move.kind === 'handoff') {
        outcome = this.step(text, { kind: 'message', text })
      } else {
        this.end = move.kind
        return this.said
      }
    }
  }

  /** Who says it; null: a program. */
  speaker: string | null = 'ada@example.com'
  button: string | null = null
  offer: Offer | null = null

  /** One advance, with what it says about approvals kept. */
  step(message: string, input: Input): Outcome {
    const outcome = advance(this.agents, this.state, input, this.scope(message))
    this.state = outcome.state
    this.said.push(...outcome.said)
    this.offer = outcome.move.kind === 'wait' ? outcome.move.offer : null
    this.changes.push(...outcome.approvals)
    for (const change of outcome.approvals) this.keep(change)
    return outcome
  }

  scope(message: string): Scope {
    return {
      person: { email: 'ada@example.com' },
      speaker: this.speaker,
      button: this.button,
      now: this.now,
      message,
      newId: () => `approval-${++this.ids}`,
      approval: this.approval,
    }
  }

  private keep(change: ApprovalChange): void {
    if (change.kind === 'open') {
      this.approval = { id: change.id, state: 'open', expiresAt: change.expiresAt }
      return
    }
    const states = { grant: 'granted', decline: 'declined', expire: 'expired', use: 'used' } as const
    if (this.approval?.id === change.id) this.approval = { ...this.approval, state: states[change.kind] }
  }

  private answer(effect: Effect): EffectResult {
    const { world } = this
    switch (effect.kind) {
      case 'decide':
        return { kind: 'decided', label: world.label }
      case 'extract':
        return { kind: 'extracted', values: world.values }
      case 'compose':
        return { kind: 'composed', sentences: world.sentences }
      case 'lookup':
        return { kind: 'rows', rows: world.rows[effect.table] ?? [] }
      case 'search':
        return { kind: 'passages', passages: world.passages }
      case 'call':
        return { kind: 'called', outcome: world.calls[effect.tool] ?? { ok: true, value: world.employee } }
    }
  }
}
