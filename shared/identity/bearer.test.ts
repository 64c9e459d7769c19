import { expect, test } from 'vitest'
import { readBearer } from './bearer.ts'

test.each([
  ['Bearer abc.def-_~+/==', 'abc.def-_~+/=='],
  ['bearer abc', 'abc'],
  ['BEARER  abc', 'abc'],
])('%j carries %s', (header, token) => expect(readBearer(header)).toBe(token))

test.each([null, ''])('%j is missing', (header) =>
  expect(() => readBearer(header)).toThrow(expect.objectContaining({ code: 'identity.missing' })),
)

test.each([
  'Bearer',
  'Bearer ',
  'Basic YWxpY2U6cHc=',
  'abc',
  'Bearer a b',
  'Bearer abc, Bearer def',
  ' Bearer abc',
  'Bearer abc ',
  'Bearer a\u00e4',
  'Bearer =abc',
  `Bearer ${'a'.repeat(8_192)}`,
])('%j is invalid', (header) =>
  expect(() => readBearer(header)).toThrow(expect.objectContaining({ code: 'identity.invalid' })),
)
