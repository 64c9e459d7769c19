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
])('%j is shown as %j', (text, shown) => expect(plainText(text)).toBe(shown))
