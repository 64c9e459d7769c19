import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { refusalOf } from '../../../local/slack/check-message.ts'
import type { Offer } from '../../flow/index.ts'
import { longestMessage, type SlackBlock, type SlackMessage, toMessages } from './blocks.ts'
import { longestSection, toSections } from './split.ts'

const outgoing = { person: 'alice@company.com', turn: '0197a3c0-0000-7000-8000-000000000001', offer: null }
const isTaken = (message: SlackMessage) => refusalOf({ ...message, metadata: null }) === null
const choices = (titles: string[]): Offer => ({
  kind: 'choices',
  choices: titles.map((title) => ({ title, reply: title })),
})
const buttonsOf = (messages: SlackMessage[]) =>
  messages.flatMap(({ blocks }) =>
    blocks.flatMap(({ type, elements }) => (type === 'actions' ? (elements as SlackBlock[]) : [])),
  )

const words = fc.array(
  fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.constantFrom('&', '<', '>', '\n', '\n\n', '**bold**', '👩‍💻', 'x'.repeat(4_000), '&'.repeat(2_000)),
  ),
  { maxLength: 30 },
)

test('whatever is said, each message is one that Slack takes, and every word is there in its order', () => {
  void fc.assert(
    fc.property(words, (parts) => {
      const text = parts.join(' ')
      const messages = toMessages({ ...outgoing, text })
      const sections = messages.flatMap(({ blocks }) =>
        blocks.flatMap((block) => (block['text'] as { text?: string })?.text ?? []),
      )
      const bare = (all: string) => all.replace(/[\s*<>•-]/g, '')
      const unescaped = sections
        .join('')
        .replaceAll(/&lt;|&gt;/g, '')
        .replaceAll('&amp;', '&')
      return messages.every(isTaken) && bare(unescaped) === bare(text)
    }),
    { numRuns: 150 },
  )
})

test('an answer is parted between paragraphs, and never within an escape', () => {
  const paragraphs = Array.from({ length: 5 }, (_one, at) => `${at}${'a'.repeat(1_400)}`)
  expect(toSections(paragraphs.join('\n\n')).map((section) => section.length)).toEqual([2_804, 2_804, 1_401])
  for (const section of toSections('&'.repeat(5_000))) expect(section).toMatch(/^(&amp;){1,600}$/)
})

test('an answer of 30,000 characters is four messages', () => {
  const messages = toMessages({ ...outgoing, text: 'word '.repeat(6_000) })
  expect(messages).toHaveLength(4)
  for (const { text } of messages) expect(text.length).toBeLessThanOrEqual(longestMessage + 4)
  expect(messages.every(isTaken)).toBe(true)
})

test('an approval has a yes and a no that carry its id; choices say their words', () => {
  const approval = toMessages({ ...outgoing, text: 'Shall I?', offer: { kind: 'approval', id: 'a-1', expiresAt: '' } })
  expect(buttonsOf(approval)).toMatchObject([
    { action_id: 'yes-0', value: 'a-1', text: { text: 'Yes' } },
    { action_id: 'no-0', value: 'a-1', text: { text: 'No' } },
  ])
  const options = toMessages({ ...outgoing, text: 'Which?', offer: choices(['Red', 'Blue']) })
  expect(buttonsOf(options)).toMatchObject([{ value: 'Red' }, { value: 'Blue' }])
})

test('what does not fit on a button is shortened or left to be typed, and a message of them is taken', () => {
  const long = '👩‍💻'.repeat(30)
  const titles = [long, 'x'.repeat(2_001), '', ...Array.from({ length: 60 }, (_one, at) => `Option ${at}`)]
  const messages = toMessages({ ...outgoing, text: 'Which?', offer: choices(titles) })
  const buttons = buttonsOf(messages)
  expect(buttons).toHaveLength(61)
  expect(buttons[0]?.['value']).toBe(long)
  const lengths = buttons.map((button) => (button['text'] as { text: string }).text.length)
  expect(Math.max(...lengths)).toBeLessThanOrEqual(75)
  expect(messages.every(isTaken)).toBe(true)
  expect(longestSection).toBe(3_000)
})

test('an answer that asks nothing can be judged', () => {
  const [message] = toMessages({ ...outgoing, text: 'Done.' })
  expect(message?.blocks.at(-1)?.type).toBe('context_actions')
  expect(message !== undefined && isTaken(message)).toBe(true)
})
