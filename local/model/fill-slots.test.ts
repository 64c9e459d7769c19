import { expect, test } from 'vitest'
import { fillSlots, type Slot } from './fill-slots.ts'
import { findPattern } from './safe-pattern.ts'

function slot(name: string, kind: Slot['kind'], description: string, more: Partial<Slot> = {}): Slot {
  return {
    name,
    kind,
    description,
    note: '',
    pattern: undefined,
    minimum: undefined,
    maximum: undefined,
    values: [],
    ...more,
  }
}

const nights = slot('nights', 'integer', 'number of nights', { minimum: 1, maximum: 30 })
const guests = slot('guests', 'integer', 'how many people come')
const room = slot('room', 'choice', 'kind of room', {
  values: ['Garden Room', 'Sea View Room', 'Sea View Suite', 'Attic'],
})
const voucher = slot('voucher', 'text', 'voucher such as AB-123', { pattern: '^[A-Z]{2}-[0-9]{3}$' })
const reason = slot('reason', 'text', 'why you travel')
const surname = slot('surname', 'text', 'your surname')

test.each<[string, string, Slot[], unknown[]]>([
  ['3 nights for 2 people', '', [nights, guests], [3, 2]],
  ['two people, and we stay three nights', '', [nights, guests], [3, 2]],
  ['twenty-one nights please', '', [nights], [21]],
  ['five', 'How many nights?', [nights], [5]],
  ['45 nights', '', [nights], [null]],
  ['a dozen people', '', [guests], [12]],
  ['on 2026-05-04 at 10:30 with code X-55', '', [nights], [null]],
  ['1,200 people', '', [guests], [1200]],
  ['no number here', '', [nights], [null]],
  ['the attic please', '', [room], ['Attic']],
  ['the sea view suite', '', [room], ['Sea View Suite']],
  ['I would love the one with the garden', '', [room], ['Garden Room']],
  ['sea view', '', [room], [null]],
  ['the second one', '', [room], ['Sea View Room']],
  ['option 4', '', [room], ['Attic']],
  ['option 7', '', [room], [null]],
  ['attic or garden room', '', [room], [null]],
  ['something cheap', '', [room], [null]],
  ['my voucher is QX-904.', '', [voucher], ['QX-904']],
  ['voucher QX-9044', '', [voucher], [null]],
  ['I need a bed because my flight was cancelled. Thanks!', '', [reason], ['my flight was cancelled']],
  ['it is for a wedding in the family', '', [reason], ['a wedding in the family']],
  ['the reason is an audit', '', [reason], ['an audit']],
  ['visiting my parents', 'Why do you travel?', [reason], ['visiting my parents']],
  ['what do you mean?', 'Why do you travel?', [reason], [null]],
  ['hello', '', [reason], [null]],
  ['my surname is Okafor', '', [surname], ['Okafor']],
  [
    'three nights in the attic on voucher QX-904 because of a fair',
    '',
    [nights, room, voucher, reason],
    [3, 'Attic', 'QX-904', 'a fair'],
  ],
])('"%s" (asked: "%s")', (text, asked, slots, expected) => {
  expect(fillSlots(text, asked, slots)).toEqual(expected)
})

test('a pattern is found inside a text, and one that backtracks without end finds nothing in time', () => {
  expect(findPattern('^[0-9]{3}$', 'number 417 it is')).toBe('417')
  expect(findPattern('(', 'x')).toBeNull()
  const started = performance.now()
  expect(findPattern('^(a+)+b$', 'a'.repeat(500))).toBeNull()
  expect(performance.now() - started).toBeLessThan(1_000)
})
