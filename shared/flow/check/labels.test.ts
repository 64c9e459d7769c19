import { expect, test } from 'vitest'
import { faultsOf } from '../testing/sample-file.ts'

test.each<[string, string | RegExp, string, string[]]>([
  ['a label twice', 'none: {means: wants none', 'some: {means: wants none', ['24: Map keys must be unique']],
  [
    'a label that is offered anyway',
    'none: {means: wants none',
    'back: {means: wants none',
    ['24: the label "back" is offered at any time already'],
  ],
  [
    'a label with the name of an agent',
    'decide: true\n    labels:\n      some',
    'decide: true\n    labels-from: agents\n    labels:\n      laptops',
    ['24: the label "laptops" is the name of an agent'],
  ],
  [
    'two affirmative labels',
    'negative: true',
    'affirmative: true',
    ['24: "none" is the second affirmative label of step "reply"'],
  ],
  [
    'an example of two labels',
    'examples: [nothing]',
    'examples: [nothing, Some!]',
    ['24: "Some!" is an example of "some" too, in step "reply"'],
  ],
  [
    'an example of a label at any time',
    'examples: [nothing]',
    'examples: [Main menu]',
    ['9: "main menu" is an example of "none" too, in step "reply"'],
  ],
  [
    'no labels',
    /labels:\n {6}some.*\n {6}none.*\n {4}unsure: unclear/,
    'anytime: false\n    unsure: pick',
    ['20: step "reply" has no labels', '35: step "to-router" is never reached'],
  ],
  [
    'an agent that is kept, and nowhere to go on',
    'labels:\n      some',
    'labels-from: agents\n    save: other\n    labels:\n      some',
    ['20: step "reply" keeps a chosen agent only with "labels-from", "save" and "next" together'],
  ],
  [
    'a label that is kept, and is no agent',
    'labels:\n      some',
    'save: other\n    next: offer\n    labels:\n      some',
    ['20: step "reply" keeps a chosen agent only with "labels-from", "save" and "next" together'],
  ],
  [
    'an agent that is kept, and a step that is none',
    'labels:\n      some',
    'labels-from: agents\n    save: other\n    next: ofer\n    labels:\n      some',
    ['24: there is no step "ofer"'],
  ],
  [
    'an agent that is kept',
    'labels:\n      some',
    'labels-from: agents\n    save: other\n    next: offer\n    labels:\n      some',
    [],
  ],
])('%s', async (_, from, to, expected) => {
  expect(await faultsOf(from, to)).toEqual(expected)
})
