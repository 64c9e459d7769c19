import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import { expect, test } from 'vitest'
import { caseSets } from './classify.cases.ts'
import { PrefixCache } from './prefix-cache.ts'
import { tokenId, tokensOf } from './tokens.ts'

test('nothing is lost in tokens', () => {
  for (const text of ['Hello, world! 12345', '  two  spaces\n\n{"a":[1,2]}', 'Grüße aus Köln 👍🏽', '', '漢字かな']) {
    expect(tokensOf(text).join('')).toBe(text)
  }
})

test('on English the estimate is within 15 % of a public tokenizer', () => {
  const text = caseSets
    .flatMap((set) =>
      set.labels.map((label) => `- ${label.name}: ${label.means}. e.g. "${label.examples.join('"; "')}"`),
    )
    .join('\n')
  const ratio = tokensOf(text).length / encode(text).length
  console.log(`estimated tokens / o200k: ${ratio.toFixed(2)}`)
  expect(Math.abs(ratio - 1)).toBeLessThan(0.15)
})

test('a token has one number', () => {
  expect(tokenId('hello')).toBe(tokenId('hello'))
  expect(tokenId('hello')).not.toBe(tokenId('hallo'))
})

test('the cache forgets the prefixes used longest ago', () => {
  const cache = new PrefixCache(4)
  const words = (start: string) => Array.from({ length: 33 }, (_, index) => `${start}${index}`)
  cache.use(words('a'), '')
  cache.use(words('b'), '')
  expect(cache.use(words('a'), '')).toBe(32)
  cache.use(words('c'), '')
  expect(cache.use(words('b'), '')).toBe(0)
  expect(cache.used).toBe(1)
})
