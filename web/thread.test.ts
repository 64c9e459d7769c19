import { expect, test } from 'vitest'
import type { Message } from './api.ts'
import { emptyThread, enter, inOrder, pressable, settle, type Unsent } from './thread.ts'
import { agentTitle, fileSize, initialsOf, nameOf } from './words.ts'

const message = (number: number, more: Partial<Message> = {}): Message => ({
  ...{ number, role: 'agent', content: 'x', request_id: null, channel: null, agent: 'laptop-refresh', offer: null },
  ...{ created_at: '2026-01-01T00:00:00Z', attachments: [] },
  ...more,
})
const unsent = (more: Partial<Unsent> = {}): Unsent => ({
  ...{ key: 'k', content: 'x', approval: null, attachments: [], state: 'sending', request: null, why: null, at: '' },
  ...more,
})
const offer = { kind: 'choices', choices: [{ title: 'A', reply: 'a' }] } as const

test('messages stand in their order, each once, however they come', () => {
  const thread = emptyThread()
  for (const number of [3, 1, 2, 3]) enter(thread, message(number))
  expect(inOrder(thread).map(({ number }) => number)).toEqual([1, 2, 3])
})

test('a message of this page is shown once, whichever comes first: its place in the conversation or its id', () => {
  const thread = emptyThread()
  const sent = unsent()
  thread.unsent.push(sent)
  enter(thread, message(1, { role: 'employee', request_id: 'r' }))
  expect(thread.unsent).toHaveLength(1)
  Object.assign(sent, { state: 'sent', request: 'r' })
  settle(thread)
  expect(thread.unsent).toEqual([])
  thread.unsent.push(unsent({ request: 'q', state: 'sent' }))
  enter(thread, message(2, { role: 'employee', request_id: 'q' }))
  expect(thread.unsent).toEqual([])
})

test('only the last word can be pressed, and not while an answer to it is on its way', () => {
  const thread = emptyThread()
  enter(thread, message(1, { offer: { ...offer, choices: [...offer.choices] } }))
  expect(pressable(thread)?.number).toBe(1)
  thread.unsent.push(unsent())
  expect(pressable(thread)).toBeNull()
  thread.unsent = [unsent({ state: 'failed' })]
  expect(pressable(thread)?.number).toBe(1)
  enter(thread, message(2, { role: 'employee' }))
  expect(pressable(thread)).toBeNull()
  enter(thread, message(3))
  expect(pressable(thread)).toBeNull()
})

test('names as people read them', () => {
  expect([agentTitle('laptop-refresh'), agentTitle('router'), agentTitle(null)]).toEqual([
    'Laptop refresh',
    'Assistant',
    'Assistant',
  ])
  expect([nameOf('alice.johnson@company.com'), initialsOf('alice.johnson@company.com')]).toEqual([
    'Alice Johnson',
    'AJ',
  ])
  expect([nameOf('@x'), initialsOf('@x')]).toEqual(['@x', '@'])
  expect([fileSize(5), fileSize(2_048), fileSize(3_145_728)]).toEqual(['5 B', '2 KB', '3.0 MB'])
})
