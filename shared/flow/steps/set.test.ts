import { expect, test } from 'vitest'
import { gatherAgents } from '../gather-agents.ts'
import { startFlow } from '../state.ts'
import { Conversation } from '../testing/conversation.ts'
import { atPick } from '../testing/laptops.ts'
import { onlyAgent } from '../testing/only.ts'

test('set and when: a counter ends the third round', () => {
  const talk = atPick()
  talk.say('9')
  talk.say('9')
  expect(talk.say('9')).toEqual(['Good bye.'])
  expect(talk.state.variables['tries']).toBe(3)
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
