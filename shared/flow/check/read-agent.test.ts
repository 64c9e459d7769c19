import { expect, test } from 'vitest'
import { faultsOf } from '../testing/sample-file.ts'

test.each<[string, string | RegExp, string, string[]]>([
  ['an unknown key', 'title: Sample', 'title: Sample\nmood: good', ['3: unknown key "mood"']],
  [
    'an unknown key of a step',
    'failure: bye, next: rows',
    'failure: bye, onward: x, next: rows',
    ['12: unknown key "onward"'],
  ],
  ['a missing key', 'description: a sample\n', '', ['1: "description" is missing']],
  ['a wrong type', 'title: Sample', 'title: 7', ['2: "title" must be a text']],
  [
    'a name that is none',
    'variables: {tries: 0}',
    'variables: {Tries: 0}',
    ['7: "Tries" is no name: use a-z and digits and "_"'],
  ],
  [
    'a step name that is none',
    '  bye: {end: true}',
    '  Good_Bye: {end: true}',
    ['38: "Good_Bye" is no name: use a-z and digits and "-"'],
  ],
  [
    'no verb',
    '{say: What?, next: $resume}',
    '{tell: What?, next: $resume}',
    [expect.stringMatching(/^26: step "unclear" has no verb: one of say, ask, /)],
  ],
  [
    'two verbs',
    '{say: What?, next: $resume}',
    '{say: What?, ask: What?, next: $resume}',
    ['26: step "unclear" has two verbs: say and ask'],
  ],
  ['an empty step', '{say: What?, next: $resume}', '', ['26: "unclear" must be a map']],
  ['a missing branch', '    unsure: unclear\n', '', ['20: "unsure" is missing']],
  ['a missing failure branch', ' failure: bye, next: rows', ' next: rows', ['12: "failure" is missing']],
  [
    'a duration that is none',
    'expires: 1h',
    'expires: 1 hour',
    [expect.stringMatching(/^35: "expires" does not have the form/)],
  ],
  [
    'a slot type that is none',
    'type: integer, minimum: 1, maximum: 5',
    'type: date',
    [expect.stringMatching(/^6: "type"/)],
  ],
  ['a key of another slot type', 'minimum: 1, maximum: 5', 'pattern: x', ['6: unknown key "pattern"']],
  ['too many retries', 'save: employee', 'save: employee, retries: 9', ['12: "retries" is too large: at most 5']],
  ['a decide on nothing', 'decide: true', 'decide: yes', ['21: "decide" is not of a kind that is allowed here']],
  [
    'a when without an else',
    '      - {next: find}\n',
    '',
    ['30: the last case has no "if": it says where to go when no other holds'],
  ],
  [
    'an else before the end',
    '      - {next: find}\n',
    '      - {next: find}\n      - {next: bye}\n',
    ['31: only the last case is without "if": what stands after this one is never reached'],
  ],
])('%s', async (_, from, to, expected) => {
  expect(await faultsOf(from, to)).toEqual(expected)
})
