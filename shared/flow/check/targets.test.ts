import { expect, test } from 'vitest'
import { faultsOf } from '../testing/sample-file.ts'

test.each<[string, string | RegExp, string, string[]]>([
  ['an unknown start', 'start: look-up', 'start: lookup', ['10: there is no step "lookup"']],
  ['an unknown target', 'next: enough', 'next: enuf', ['27: there is no step "enuf"']],
  ['an unknown target of a label', 'next: pick}', 'next: pik}', ['23: there is no step "pik"']],
  ['an unknown target at any time', 'next: to-router}', 'next: out}', ['9: there is no step "out"']],
  ['an unknown target of a condition', 'next: confirm-it}', 'next: confirm}', ['30: there is no step "confirm"']],
  [
    'a step that is never reached',
    '  bye: {end',
    '  lost: {say: x, next: bye}\n  bye: {end',
    ['38: step "lost" is never reached'],
  ],
  [
    '$resume before a question',
    'none: bye, next: show',
    'none: unclear, next: show',
    ['26: $resume can come before anything was asked'],
  ],
  [
    'a round without end',
    'note: {set: {tries: tries + 1}, next: offer}',
    'note: {set: {tries: tries + 1}, next: enough2}\n  enough2: {when: [{if: tries > 3, next: offer}, {next: note}]}',
    ['34: note → enough2 → note goes round without asking or calling anything'],
  ],
  [
    'a round that only a model is in',
    'unsure: unclear',
    'unsure: reply',
    ['20: reply → reply goes round without asking or calling anything'],
  ],
])('%s', async (_, from, to, expected) => {
  expect(await faultsOf(from, to)).toEqual(expected)
})
