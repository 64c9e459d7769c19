import { expect, test } from 'vitest'
import { sampleWorld } from './testing/conversation.ts'
import { atConfirm, atPick } from './testing/laptops.ts'

test('a question offers the rows of its slot under the names that a pick of them takes', () => {
  const talk = atPick()
  expect(talk.offer).toEqual({
    kind: 'choices',
    choices: ['Air', 'Air 15', 'ThinkPad X1'].map((title) => ({ title, reply: title })),
  })
  talk.say('Air 15')
  expect(talk.state.slots['laptop']).toMatchObject({ Code: 'AIR-15' })
})

test('rows whose names hold what no reader sees, or what would be followed, are on no button', () => {
  for (const Model of ['Air\u202e', 'Air\u200b 15', '[Air](http://evil.example)', 'Air\u0000', '<img src=x>']) {
    const rows = {
      ...sampleWorld.rows,
      offers: [
        { Model: 'ThinkPad X1', Code: 'TP-X1' },
        { Model, Code: 'AIR-1' },
      ],
    }
    expect(atPick({ rows }).offer).toBeNull()
  }
})

test('a question for a yes offers the approval by its id', () => {
  const talk = atConfirm()
  const offer = { kind: 'approval', id: 'approval-1', expiresAt: '2026-03-05T10:00:00.000Z' }
  expect(talk.offer).toEqual(offer)
  talk.say('maybe')
  expect(talk.offer).toEqual(offer)
})

test('a pressed yes counts for the approval that it names', () => {
  const talk = atConfirm()
  talk.button = 'approval-1'
  expect(talk.say('yes')).toEqual(['Ticket REQ1 is open.'])
})

test.each(['yes', 'no'])(
  'a pressed %s of an earlier question does nothing, and the open one is asked again',
  (word) => {
    const talk = atConfirm()
    talk.button = 'approval-0'
    const late = 'That button belongs to an earlier question, so it did nothing.'
    expect(talk.say(word)).toEqual([late, 'Shall I? (yes or no)'])
    expect(talk.changes).toEqual([])
    const other = atPick()
    other.button = 'approval-0'
    expect(other.say(word)[0]).toBe(late)
    expect(other.offer).toMatchObject({ kind: 'choices' })
  },
)
