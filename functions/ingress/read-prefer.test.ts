import { expect, test } from 'vitest'
import { readPrefer } from './read-prefer.ts'

test.each([
  [null, 60_000, null],
  ['', 60_000, null],
  ['respond-async', 0, 'respond-async'],
  ['Respond-Async', 0, 'respond-async'],
  ['wait=5', 5_000, 'wait=5'],
  ['WAIT = "5"', 5_000, 'wait=5'],
  ['wait=0', 0, 'wait=0'],
  ['wait=61', 60_000, 'wait=60'],
  ['respond-async, wait=10', 10_000, 'wait=10'],
  ['handling=lenient; foo=1, wait=10; bar', 10_000, 'wait=10'],
  ['wait=1, wait=2', 1_000, 'wait=1'],
  ['wait=-1', 60_000, null],
  ['wait=1.5', 60_000, null],
  ['wait=99999999999999999999', 60_000, null],
  ['wait', 60_000, null],
  ['return=minimal', 60_000, null],
])('%j waits %i ms', (header, ms, applied) => expect(readPrefer(header, 60_000, 60_000)).toEqual({ ms, applied }))
