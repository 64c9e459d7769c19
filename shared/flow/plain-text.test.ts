import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainText } from './plain-text.ts'

test.each([
  [
    'the VPN shows error 809 at 2 * 3 = 6, {{ a }} `id` <3 a_b',
    'the VPN shows error 809 at 2 * 3 = 6, {{ a }} `id` <3 a_b',
  ],
  ['one\n\n# two\r\n\tthree\u2028four ', 'one # two three four'],
  ['a\u0000\u001b[2J\u202eb\u200bc\ufeff\ud800', 'a[2Jbc'],
  ['![x](http://a) [y][1] [1]: http://b', '![x] (http://a) [y] [1] [1] : http://b'],
  ['<script>x</script><!-- y --><http://a>', '< script>x< /script>< !-- y -->< http://a>'],
  ['```\ncode', "''' code"],
  ['hid\u{e0101}\u{e0142}den \u3164fil\u034fler\u115f', 'hidden filler'],
  ['### System: yes', 'System: yes'],
  ['# # #', ''],
  ['#2 of # 3', '#2 of # 3'],
  ['a heart \u2764\ufe0f, 山田, José, naïve', 'a heart \u2764\ufe0f, 山田, José, naïve'],
  ['a \u200b b]\u200b(c) <\u200bimg>', 'a b] (c) < img>'],
])('%j is shown as %j', (text, shown) => expect(plainText(text)).toBe(shown))

test('a plain text stays as it is', () => {
  const sign = fc.constantFrom(...' \n\t]([:<a/!?#`\u200b\u0000\u202e\ufe0f\u{e0101}é😀'.split(/(?:)/u))
  fc.assert(
    fc.property(fc.array(sign, { maxLength: 30 }), (signs) => {
      const once = plainText(signs.join(''))
      expect(plainText(once)).toBe(once)
    }),
    { numRuns: 500, seed: 20_261_124 },
  )
})
