import { expect, test } from 'vitest'
import { mayNameInteger, namesInteger, readPick } from './pick.ts'

test.each<[string, ReturnType<typeof readPick>]>([
  ['3', { kind: 'number', number: 3 }],
  [' 3. ', { kind: 'number', number: 3 }],
  ['3)', { kind: 'number', number: 3 }],
  ['three', { kind: 'number', number: 3 }],
  ['３', { kind: 'number', number: 3 }],
  ['3 please', { kind: 'number', number: 3 }],
  ["I'd like 3", { kind: 'number', number: 3 }],
  ['option 3', { kind: 'place', place: 3 }],
  ['Option #3', { kind: 'place', place: 3 }],
  ['number three', { kind: 'place', place: 3 }],
  ['#3', { kind: 'place', place: 3 }],
  ['the third one', { kind: 'place', place: 3 }],
  ['third', { kind: 'place', place: 3 }],
  ['the 3rd', { kind: 'place', place: 3 }],
  ['the second option, please', { kind: 'place', place: 2 }],
  ['go with the last one', { kind: 'place', place: 'last' }],
  ['-3', null],
  ['2.5', null],
  ['1,000', null],
  ['3 or 4', null],
  ['not 3', null],
  ['3 seats', null],
  ['$3', null],
  ['the one', { kind: 'number', number: 1 }],
  ['', null],
  ['the', null],
])('%j picks %j', (message, pick) => expect(readPick(message)).toEqual(pick))

test.each<[string, number, boolean]>([
  ['make it 5 seats', 5, true],
  ['five of them', 5, true],
  ['Twenty!', 20, true],
  ['5,000 please', 5000, true],
  ['it is 1.250', 1250, true],
  ['15 seats', 5, false],
  ['2.5 days', 5, false],
  ['2.5 days', 2, false],
  ['CC-1234', 1234, true],
  ['v5', 5, false],
  ['none', 1, false],
  ['-5', 5, false],
  ['I have 12.', 12, true],
  ['', 0, false],
])('%j names %d: %s', (message, value, named) => expect(namesInteger(message, value)).toBe(named))

test('a message without digits or number words can name no number', () => {
  expect(mayNameInteger('a few')).toBe(false)
  expect(mayNameInteger('two or so')).toBe(true)
  expect(mayNameInteger('x9')).toBe(true)
})
