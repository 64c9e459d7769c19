import { expect, test } from 'vitest'
import { actsClash, actsOf, actsOfLabel } from './speech-acts.ts'

test.each<[string, string]>([
  ['what does it cost', 'question'],
  ['and how long does that take', 'question'],
  ['yes, go ahead', 'agree'],
  ["let's do it", 'agree'],
  ['that would be great', 'agree'],
  ['do not reserve it', 'refuse'],
  ["I don't want that", 'refuse'],
  ["I'd rather keep the old one", 'refuse'],
  ['good morning', 'greet'],
  ['thanks, bye', 'part'],
  ['take me back to the menu', 'back'],
  ['I would like a ticket', 'wish'],
  ['it arrived broken', 'complain'],
  ['no idea', 'doubt'],
])('"%s" does this most: %s', (text, act) => {
  const found = Object.entries(actsOf(text)).sort(([, a], [, b]) => b - a)
  expect(found[0]?.[0]).toBe(act)
})

test.each(['no idea', 'not now', 'do not go ahead', 'is that alright?'])('"%s" agrees to nothing', (text) => {
  expect(actsOf(text).agree).toBe(0)
})

test('a request in the form of a question is hardly one', () => {
  expect(actsOf('could you send it?').question).toBeLessThan(0.5)
  expect(actsOf('could it be sent?').question).toBe(1)
})

test('refusing clashes with a label that agrees, and the other way round, but neither with its own', () => {
  const accept = actsOfLabel('agrees to the offer', ['yes please'])
  const decline = actsOfLabel('does not want it', ['no thanks'])
  expect(actsClash(actsOf('do not send it'), accept)).toBeGreaterThan(0.8)
  expect(actsClash(actsOf('yes please send it'), decline)).toBeGreaterThan(0.8)
  expect(actsClash(actsOf('do not send it'), decline)).toBe(0)
  expect(actsClash(actsOf('yes please send it'), accept)).toBe(0)
  expect(actsClash(actsOf('what is it?'), accept)).toBe(0.5)
})
