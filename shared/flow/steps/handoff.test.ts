import { expect, test } from 'vitest'
import { Conversation } from '../testing/conversation.ts'
import { agents, atConfirm } from '../testing/laptops.ts'

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
