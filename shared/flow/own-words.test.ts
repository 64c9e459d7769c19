import { expect, test } from 'vitest'
import type { Agent, Slot } from './agent.ts'
import { hasOwnWords, spellingsOf } from './own-words.ts'
import type { Conversation } from './testing/conversation.ts'
import { agents, atPick } from './testing/laptops.ts'

const laptop = agents.byName.get('laptops')
if (laptop === undefined) throw new Error('no agent')
const agent: Agent = { ...laptop, examples: ['I need a new laptop', 'get me an Air'] }

test.each([
  ['the screen is broken', true],
  ['ThinkPad X1', false],
  ['thinkpad', false],
  ['for ThinkPad X1 and CC-1234.', false],
  ['three', false],
  ['I need a ThinkPad X1', false],
  ['get me 3 of the ThinkPad X1!', false],
  ['three ThinkPad X1 because mine is broken', true],
  ['new laptop', true], // nothing of it is another slot's, so it may be all that there is to say
  ['ThinkPad X1 用于设计', true],
  ['the X10 of CC-12345', true], // longer words that only begin like a value
  ['…', false],
])('"%s": own words %s', (words, own) => {
  expect(hasOwnWords(agent, words, ['ThinkPad X1', 'ThinkPad', 'CC-1234', '3', 'three'])).toBe(own)
})

test('a value may be spelt as its names, their words, or a number as its word', () => {
  const choice: Slot = { type: 'choice', description: 'd', from: 'options', match: ['Model', 'Code'] }
  expect(spellingsOf(choice, { Model: 'Air 15', Code: 'A-15' })).toEqual(['Air 15', 'A-15', 'Air', '15', 'A', '15'])
  expect(spellingsOf({ type: 'integer', description: 'd', minimum: null, maximum: null }, 3)).toEqual(['3', 'three'])
  expect(spellingsOf({ type: 'text', description: 'd', pattern: null }, 'as said')).toEqual(['as said'])
  expect(spellingsOf(choice, null)).toEqual([])
})

function atDetails(): Conversation {
  const talk = atPick()
  talk.say('Air 15')
  return talk
}

test.each([
  ['3 of Air 15 for CC-1234', 'Air 15'],
  ['3 of Air 15 for CC-1234', 'for CC-1234'],
  ['3 of Air 15 for CC-1234', '3 of Air 15'],
  ['three of AIR-15 for CC-1234', 'three'],
])('of "%s" the model’s "%s" is no reason: other slots have those words', (message, reason) => {
  const talk = atDetails()
  talk.world.values = { seats: 3, reason }
  talk.say(message)
  expect(talk.state.slots).toMatchObject({ seats: 3, cost_centre: 'CC-1234', reason: null })
})

test('what is said beside them is kept, as it was said', () => {
  const talk = atDetails()
  talk.world.values = { seats: 3, reason: '3 for CC-1234 since mine broke' }
  talk.say('3 for CC-1234 since mine broke')
  expect(talk.state.slots['reason']).toBe('3 for CC-1234 since mine broke')
})
