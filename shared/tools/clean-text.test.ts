import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '../flow/json.ts'
import { cleanText } from './clean-text.ts'

test.each([
  ['zero\u200bwidth\u200d', 'zerowidth'],
  ['\u202eright to left\u202c', 'right to left'],
  ['bell\u0007 escape\u001b[31m delete\u007f nul\u0000', 'bell escape[31m delete nul'],
  ['two\r\nlines\tand a tab', 'two\nlines\tand a tab'],
  ['tags\u{e0041}\u{e0042}', 'tags'],
  ['soft\u00adhyphen \ufeffmark', 'softhyphen mark'],
  ['lone \ud800 surrogate', 'lone  surrogate'],
  ['José Müller 山田 👍🏽 naïve', 'José Müller 山田 👍🏽 naïve'],
])('%j reads %j', (given, clean) => {
  expect(cleanText(given)).toBe(clean)
})

test('every string is cleaned, keys too, and everything else stays as it is', () => {
  expect(cleanText({ 'a\u200b': ['b\u0000', 1, null, { c: true }] })).toEqual({ a: ['b', 1, null, { c: true }] })
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const once = cleanText(value as Json)
      expect(cleanText(once)).toEqual(once)
    }),
  )
})
