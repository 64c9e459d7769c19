import { expect, test } from 'vitest'
import { readReply } from './take-mail.ts'
import { readDecision } from './words.ts'

const choices = [
  { title: 'Order it', reply: 'order' },
  { title: 'Leave it', reply: 'leave' },
]
test.each([
  ['2', 'Now what?', 'leave'],
  ['the first one', 'Now what?', 'order'],
  ['the last one', 'Now what?', 'leave'],
  ['3', 'Now what?', '3'],
  ['2 laptops', 'Now what?', '2 laptops'],
  // The text has numbers of its own, and the flow knows them.
  ['2', '1. Order it, 2. leave it', '2'],
])('%j in reply to %j with two choices says %j', (text, content, said) => {
  const answered = { content, offer: { kind: 'choices' as const, choices }, decides: false }
  expect(readReply(text, answered)).toEqual({ text: said, button: null })
})

test.each([
  ['yes', true],
  ['Approve.', true],
  ['No', false],
  ['decline\n\nBest regards,\nJane Smith', false],
  ['yes, but only 20', null],
  ['yes\n\nwait, no', null],
  ['yesterday', null],
  ['', null],
])('%j is the decision %j', (text, yes) => {
  expect(readDecision(text)).toBe(yes)
  const asked = { kind: 'approval' as const, id: 'a', expiresAt: '' }
  const own = readReply(text, { content: '', offer: asked, decides: false })
  expect(own).toEqual(
    yes === null ? { text, button: null } : { text: yes ? 'yes' : 'no', button: { approval: 'a', yes } },
  )
  if (yes === null) expect(readReply(text, { content: '', offer: asked, decides: true })).toBe('unclear')
})
