import { expect, test } from 'vitest'
import { readCommand, tokenSummary } from './commands.ts'

test.each([
  ['reset', 'reset'],
  [' Clear ', 'reset'],
  ['RESTART', 'reset'],
  ['new  session', 'reset'],
  ['**tokens**', 'tokens'],
  ['Tokens', 'tokens'],
  ['token stats', 'tokens'],
  ['usage stats', 'tokens'],
  ['quit', 'quit'],
  ['Exit', 'quit'],
  ['q', 'quit'],
  ['reset my password', null],
  ['reset!', null],
  ['tokens please', null],
  ['', null],
])('%j is %s', (text, command) => expect(readCommand(text)).toBe(command))

test('the token summary has the form that evaluations parse', () => {
  expect(tokenSummary({ input: 10, output: 4, calls: 2, maxInput: 7, maxOutput: 3, maxTotal: 9 })).toBe(
    'TOKEN_SUMMARY:INPUT:10:OUTPUT:4:TOTAL:14:CALLS:2:MAX_SINGLE_INPUT:7:MAX_SINGLE_OUTPUT:3:MAX_SINGLE_TOTAL:9',
  )
})
