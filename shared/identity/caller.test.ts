import { expect, test } from 'vitest'
import { type Caller, mayActFor } from './caller.ts'

const caller = (email: string | null, scopes: string[]): Caller => ({ subject: 's', email, scopes, kind: 'person' })

test.each([
  [caller('alice@example.com', []), 'alice@example.com', true],
  [caller('alice@example.com', []), 'bob@example.com', false],
  [caller(null, []), 'bob@example.com', false],
  [caller(null, ['service']), 'bob@example.com', false],
  [
    caller('alice@example.com', ['requests:act-for-other', 'requests', 'REQUESTS:ACT-FOR-OTHERS']),
    'bob@example.com',
    false,
  ],
  [caller('alice@example.com', ['requests:act-for-others']), 'bob@example.com', true],
])('%j for %s: %s', (who, email, may) => expect(mayActFor(who, email)).toBe(may))
