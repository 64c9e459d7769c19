import { expect, test } from 'vitest'
import { fromMrkdwn, toMrkdwn } from './mrkdwn.ts'

test.each([
  ['You get a **MacBook Pro**, see [1].', 'You get a *MacBook Pro*, see [1].'],
  ['- **IT help**: ask - or not', '• *IT help*: ask - or not'],
  ['2 ** 3 ** 4', '2 ** 3 ** 4'],
  ['a < b & c > d', 'a &lt; b &amp; c &gt; d'],
  ['<!channel> <@U1> <https://evil.example|click>', '&lt;!channel&gt; &lt;@U1&gt; &lt;https://evil.example|click&gt;'],
  ['see https://it.company.com/a_b?x=1.', 'see <https://it.company.com/a_b?x=1>.'],
  ['(https://a.example)', '(<https://a.example>)'],
  ['https://a.example|click', '<https://a.example>|click'],
  ['https://a.example/?a=1&b=2', '<https://a.example/?a=1>&amp;b=2'],
  ['http://a.example javascript:alert(1)', 'http://a.example javascript:alert(1)'],
])('an answer %j is written %j', (text, written) => expect(toMrkdwn(text)).toBe(written))

test.each([
  ['<@U0AGENT> I need a laptop', 'I need a laptop'],
  ['ask <@U0JANE> in <#C1|help>', 'ask @U0JANE in #help'],
  ['<!here> and <!subteam^S1|@it>', '@here and @it'],
  ['<mailto:jane.smith@company.com|jane.smith@company.com>', 'jane.smith@company.com'],
  ['<https://company.com|company.com>', 'https://company.com'],
  ['<https://company.com/x|the page>', 'the page (https://company.com/x)'],
  ['&lt;script&gt; &amp;amp; a &lt; b', '<script> &amp; a < b'],
])('what somebody typed, %j, is read as %j', (sent, read) => expect(fromMrkdwn(sent, 'U0AGENT')).toBe(read))
