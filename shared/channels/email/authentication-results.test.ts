import { expect, test } from 'vitest'
import { readAuthenticationResults as read } from './authentication-results.ts'

const of = (value: string) => read(value)?.results.map(({ method, result, properties }) => [method, result, properties])

test('methods, results and properties are read, without comments and quotes (RFC 8601, appendix B)', () => {
  expect(
    read('example.com 1; auth=pass (cram-md5) smtp.auth=sender@example.net; spf = pass smtp.mailfrom="a b"'),
  ).toEqual({
    authservId: 'example.com',
    results: [
      { method: 'auth', result: 'pass', properties: { 'smtp.auth': 'sender@example.net' } },
      { method: 'spf', result: 'pass', properties: { 'smtp.mailfrom': 'a b' } },
    ],
  })
  expect(of('example.org 1; none')).toEqual([])
  expect(of('(x) mx.example (y (z)); dkim/1=PASS reason="good; dmarc=pass" header.d=A.example')).toEqual([
    ['dkim', 'pass', { reason: 'good; dmarc=pass', 'header.d': 'A.example' }],
  ])
})

test.each([
  'mx; spf=none (a (b) ; dmarc=pass header.from=company.com z=( ) )',
  'mx; spf=none (a \\) ; dmarc=pass header.from=company.com)',
  'mx; spf=none reason="a \\" ; dmarc=pass header.from=company.com"',
])('what a sender put into a comment or a quote says nothing: %s', (value) => {
  expect(of(value)?.map(([method]) => method)).toEqual(['spf'])
})

test.each([
  'mx; dmarc=pass (never ends',
  'mx; dmarc=pass reason="never ends',
  'mx; dmarc=pass header.from=a header.from=b',
  'mx; dmarc',
  'a b c; dmarc=pass',
  '; dmarc=pass',
  '',
])('what can be read in two ways is not read: %j', (value) => {
  expect(read(value)).toBeNull()
})
