import { expect, test } from 'vitest'
import { laptops } from '../testing/laptops.ts'

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
