import { expect, test } from 'vitest'
import type { Step } from '../agent.ts'
import { gatherAgents } from '../gather-agents.ts'
import { Conversation } from '../testing/conversation.ts'
import { agents, kinds, laptops } from '../testing/laptops.ts'
import { only, onlyAgent } from '../testing/only.ts'

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

test('decide can be on something else than the message, and then nothing was asked', () => {
  const decide: Step = {
    verb: 'decide',
    of: 'n',
    labels: [{ name: 'x', means: 'x', examples: ['7'], affirmative: false, negative: false, next: 'b' }],
    labelsFromAgents: false,
    save: null,
    next: null,
    anytime: true,
    unsure: 'b',
  }
  const end: Step = { verb: 'end' }
  const coded = new Conversation(only({ a: { verb: 'set', set: { n: '7' }, next: 'c' }, c: decide, b: end }), 'a')
  coded.say('hello')
  expect(coded.effects).toEqual([])
  const question: Step = { verb: 'ask', ask: 'What?', again: null, choices: null, next: 'd' }
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
    save: null,
    next: null,
    anytime: true,
    unsure: 'b',
  }
  const talk = new Conversation(only({ a, b: { verb: 'end' } }), 'a')
  talk.say('This!')
  expect(talk.effects).toHaveLength(1)
})

test('decide: an agent that is chosen can be kept, to be told of, in place of a hand-off', () => {
  const choose: Step = {
    verb: 'decide',
    of: null,
    labels: [],
    labelsFromAgents: true,
    save: 'other',
    next: 'tell',
    anytime: false,
    unsure: 'end',
  }
  const agent = onlyAgent({
    a: { verb: 'ask', ask: 'How many?', again: null, choices: null, next: 'choose' },
    choose,
    tell: { verb: 'say', say: 'Ask {{ other.title }}: it {{ other.description }}.', next: '$resume' },
    end: { verb: 'end' },
  })
  const [laptopsAgent, routerAgent] = [agents.byName.get('laptops'), agents.byName.get('router')]
  if (laptopsAgent === undefined || routerAgent === undefined) throw new Error('no agent')
  const three = gatherAgents([agent, laptopsAgent, routerAgent].map((one) => ({ agent: one, version: '0' })))
  const talk = new Conversation(three, 'a', { label: 'laptops' })
  talk.say('hello')
  expect(talk.say('how old may mine be?')).toEqual(['Ask New laptop: it replaces an old laptop.', 'How many?'])
  expect(talk.state).toMatchObject({ agent: 'a', waiting: 'message', asked: 'a' })
  // The router answers nothing itself, so it is not offered, and a model that names it is unsure.
  expect(talk.effects).toMatchObject([{ labels: [{ name: 'laptops' }, { name: 'unsure' }] }])
  talk.world.label = 'router'
  talk.say('and mine?')
  expect(talk.end).toBe('end')
})
