import { expect, test } from 'vitest'
import { type Block, type PostedMessage, refusalOf } from './check-message.ts'

const plain = (text: string) => ({ type: 'plain_text', text })
const section = (text: string): Block => ({ type: 'section', text: { type: 'mrkdwn', text } })
const button = (more: Block = {}): Block => ({
  type: 'button',
  action_id: 'a',
  value: 'v',
  text: plain('Yes'),
  ...more,
})
const actions = (elements: Block[], block_id = 'b'): Block => ({ type: 'actions', block_id, elements })
const feedback = (title: string, value = 'v'): Block => ({
  type: 'context_actions',
  elements: [
    {
      type: 'feedback_buttons',
      positive_button: { text: plain(title), value },
      negative_button: { text: plain('bad'), value: 'v' },
    },
  ],
})
const message = (more: Partial<PostedMessage>): PostedMessage => ({
  text: 'hello',
  blocks: [],
  metadata: null,
  ...more,
})

test.each<[string, Partial<PostedMessage>]>([
  ['text alone', {}],
  ['a section at its limit', { blocks: [section('x'.repeat(3_000))] }],
  ['50 blocks', { blocks: Array(50).fill(section('x')) }],
  ['25 buttons', { blocks: [actions(Array.from({ length: 25 }, (_one, at) => button({ action_id: `a${at}` })))] }],
  [
    'a title and a value at their limits',
    { blocks: [actions([button({ text: plain('x'.repeat(75)), value: 'x'.repeat(2_000) })])] },
  ],
  ['feedback', { blocks: [feedback('x'.repeat(75))] }],
  ['a note', { blocks: [{ type: 'context', elements: [plain('done')] }] }],
  ['metadata', { metadata: { event_type: 'answer_delivered', event_payload: {} } }],
])('takes %s', (_name, more) => expect(refusalOf(message(more))).toBeNull())

test.each<[string, string, Partial<PostedMessage>]>([
  ['nothing to read', 'no_text', { text: '' }],
  ['40,001 characters', 'msg_too_long', { text: 'x'.repeat(40_001) }],
  ['51 blocks', 'invalid_blocks', { blocks: Array(51).fill(section('x')) }],
  [
    'blocks of more than 13,000 characters',
    'msg_blocks_too_long',
    { blocks: Array(5).fill(section('x'.repeat(2_700))) },
  ],
  ['a section of 3,001 characters', 'invalid_blocks', { blocks: [section('x'.repeat(3_001))] }],
  ['an empty section', 'invalid_blocks', { blocks: [section('')] }],
  ['a section without text', 'invalid_blocks', { blocks: [{ type: 'section' }] }],
  ['an unknown block', 'invalid_blocks', { blocks: [{ type: 'hologram' }] }],
  [
    '26 buttons',
    'invalid_blocks',
    { blocks: [actions(Array.from({ length: 26 }, (_one, at) => button({ action_id: `a${at}` })))] },
  ],
  ['no button', 'invalid_blocks', { blocks: [actions([])] }],
  ['two buttons of one action_id', 'invalid_blocks', { blocks: [actions([button(), button()])] }],
  ['two blocks of one block_id', 'invalid_blocks', { blocks: [actions([button()]), actions([button()])] }],
  ['a block_id of 256 characters', 'invalid_blocks', { blocks: [actions([button()], 'x'.repeat(256))] }],
  ['a title of 76 characters', 'invalid_blocks', { blocks: [actions([button({ text: plain('x'.repeat(76)) })])] }],
  ['a title with markup', 'invalid_blocks', { blocks: [actions([button({ text: { type: 'mrkdwn', text: 'x' } })])] }],
  ['a value of 2,001 characters', 'invalid_blocks', { blocks: [actions([button({ value: 'x'.repeat(2_001) })])] }],
  ['an action_id of 256 characters', 'invalid_blocks', { blocks: [actions([button({ action_id: 'x'.repeat(256) })])] }],
  ['an unknown style', 'invalid_blocks', { blocks: [actions([button({ style: 'loud' })])] }],
  ['a link for a button', 'invalid_blocks', { blocks: [actions([{ type: 'link' }])] }],
  ['feedback with a long title', 'invalid_blocks', { blocks: [feedback('x'.repeat(76))] }],
  ['feedback with a long value', 'invalid_blocks', { blocks: [feedback('x', 'x'.repeat(2_001))] }],
  ['eleven notes in one', 'invalid_blocks', { blocks: [{ type: 'context', elements: Array(11).fill(plain('x')) }] }],
  ['metadata of another form', 'invalid_metadata_format', { metadata: { event_type: 'Answer!', event_payload: {} } }],
])('refuses %s: %s', (_name, refusal, more) => expect(refusalOf(message(more))).toBe(refusal))
