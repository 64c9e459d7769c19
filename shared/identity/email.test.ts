import { expect, test } from 'vitest'
import { parseEmail } from './email.ts'

test.each([
  ['alice@example.com', 'alice@example.com'],
  ['  Alice.Smith+it@Sub.Example.COM ', 'alice.smith+it@sub.example.com'],
  ["o'neill@example.ie", "o'neill@example.ie"],
])('%j is %s', (text, email) => expect(parseEmail(text)).toBe(email))

test.each([
  '',
  'alice',
  'alice@',
  '@example.com',
  'alice@localhost',
  'alice@@example.com',
  'alice@exa mple.com',
  'alice@example.com, bob@example.com',
  'Alice <alice@example.com>',
  '"alice"@example.com',
  'alice@-example.com',
  'alice@example.com\nbcc: bob@example.com',
  'alice@example.com\0',
  '\u212aate@example.com', // the Kelvin sign lower-cases to k
  'k\u0430te@example.com', // a Cyrillic a
  'al\u200bice@example.com',
  `${'a'.repeat(65)}@example.com`,
  `alice@${'a.'.repeat(130)}com`,
])('%j is no address', (text) => expect(parseEmail(text)).toBeNull())
