import { expect, test } from 'vitest'
import { fits, parseEncodedQuery } from './encoded-query.ts'

const row: Record<string, string> = {
  email: 'alice.johnson@company.com',
  state: '1',
  empty: '',
  'request.number': 'REQ0010001',
  opened_at: '2026-11-24 08:00:00',
}
const holds = (text: string) => {
  const query = parseEncodedQuery(text)
  return query === null ? null : fits(query, (field) => row[field] ?? '')
}

test.each([
  ['', true],
  ['email=alice.johnson@company.com', true],
  ['email=ALICE.Johnson@company.com', true],
  ['email=bob@company.com', false],
  ['email!=bob@company.com', true],
  ['stateIN1,2^request.number=REQ0010001', true],
  ['stateIN2,3', false],
  ['emailLIKEjohnson', true],
  ['emailSTARTSWITHjohnson', false],
  ['state=9^ORstate=1', true],
  ['state=9^ORstate=1^email=bob', false],
  ['email=bob^ORemail=alice.johnson@company.com', true],
  ['emptyISEMPTY^stateISNOTEMPTY', true],
  ['stateISEMPTY', false],
  ['opened_at>=2026-11-24 08:00:00', true],
  ['opened_at>2026-11-24 08:00:00', false],
  ['opened_at<=2026-11-23 00:00:00', false],
  ['state=1^ORDERBYDESCopened_at', true],
  ['nonsense', null],
  ['Email=a', null],
])('"%s" holds: %s', (text, expected) => {
  expect(holds(text)).toBe(expected)
})
