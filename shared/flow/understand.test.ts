import { expect, test } from 'vitest'
import type { Slot } from './agent.ts'
import type { Json } from './json.ts'
import { type Row, rowNamedIn, rowShownAs, rowsOf } from './rows.ts'
import { type OpenSlot, understand } from './understand.ts'
import { verifyValue } from './verify.ts'

const laptops: Slot = { type: 'choice', description: 'laptop', from: 'x', match: ['Model', 'Code'] }
const rows = rowsOf(laptops, [
  { Model: 'Air', Code: 'AIR-1' },
  { Model: 'Air 15', Code: 'AIR-15' },
  { Model: 'ThinkPad X1 (Gen 9)', Code: 'TP-X1' },
])
const choice: OpenSlot = { name: 'laptop', slot: laptops, rows, value: null }
const seats: OpenSlot = {
  name: 'seats',
  slot: { type: 'integer', description: 'n', minimum: 1, maximum: 50 },
  rows: [],
  value: null,
}
const centre: OpenSlot = {
  name: 'centre',
  slot: { type: 'text', description: 'c', pattern: '^CC-[0-9]{4}$' },
  rows: [],
  value: null,
}
const reason: OpenSlot = {
  name: 'reason',
  slot: { type: 'text', description: 'r', pattern: null },
  rows: [],
  value: null,
}

function read(slots: OpenSlot[], message: string): Record<string, unknown> {
  return Object.fromEntries(
    [...understand(slots, message)].map(([name, reading]) => {
      if (reading.kind !== 'value') return [name, reading.kind]
      const row = rows.find(({ value }) => value === reading.value)
      return [name, row === undefined ? reading.value : row.display]
    }),
  )
}

test.each([
  ['1', 'Air'],
  ['the last one', 'ThinkPad X1 (Gen 9)'],
  ['option 2', 'Air 15'],
  ['4', 'nothing'],
  ['0', 'nothing'],
  ['the tenth', 'nothing'],
  ['air please', 'Air'],
  ['I take the AIR 15!', 'Air 15'],
  ['air-15', 'Air 15'],
  ['the Air, that is AIR-1', 'Air'],
  ['thinkpad x1 (gen 9)', 'ThinkPad X1 (Gen 9)'],
  ['chair', 'open'],
  ['Air or ThinkPad X1 (Gen 9)?', 'open'],
  ['anything but not the Air', 'open'],
  ["I don't want the Air", 'open'],
  ['the light one', 'open'],
  ['', 'open'],
])('of %j a choice takes %s', (message, expected) => expect(read([choice], message)).toEqual({ laptop: expected }))

test.each([
  ['7', 7],
  ['seven', 7],
  ['51', 'nothing'],
  ['0', 'nothing'],
  ['7 seats', 'open'],
  ['a few', 'nothing'],
  ['option 7', 'open'],
])('of %j a number takes %s', (message, expected) => expect(read([seats], message)).toEqual({ seats: expected }))

test('a pattern takes its only span', () => {
  expect(read([centre], 'put it on CC-1234 please')).toEqual({ centre: 'CC-1234' })
  expect(read([centre], 'CC-1234 or CC-4321')).toEqual({ centre: 'open' })
  expect(read([centre], 'no idea')).toEqual({ centre: 'nothing' })
})

test('a bare number is for the one empty slot that takes numbers, and for nothing else', () => {
  expect(read([choice, seats], '2')).toEqual({ laptop: 'open', seats: 'open' })
  const picked: OpenSlot = { ...choice, value: rows[0]?.value ?? null }
  expect(read([picked, seats], '2')).toEqual({ laptop: 'nothing', seats: 2 })
  expect(read([picked, seats, reason], '2')).toEqual({ laptop: 'nothing', seats: 2, reason: 'nothing' })
  expect(read([choice, seats], 'the second one')).toEqual({ laptop: 'Air 15', seats: 'nothing' })
})

test('rows that share a name are told apart by another of their names', () => {
  const twins = rowsOf(laptops, [
    { Model: 'Air', Code: 'A-1' },
    { Model: 'Air', Code: 'A-2' },
  ])
  expect(twins.map(({ display }) => display)).toEqual(['Air, A-1', 'Air, A-2'])
  expect(rowNamedIn(twins, 'the Air')).toBeNull()
  expect(rowNamedIn(twins, 'the Air A-2')?.display).toBe('Air, A-2')
  expect(rowShownAs(twins, 'air, a-1')?.display).toBe('Air, A-1')
  expect(rowShownAs(twins, 'Air')).toBeNull()
})

test('plain values are their own names, and what is no list has no rows', () => {
  const displays = (list: Json): string[] => rowsOf(laptops, list).map(({ display }: Row) => display)
  expect(displays(['red', 'blue'])).toEqual(['red', 'blue'])
  expect(displays(null)).toEqual([])
  expect(displays({ Model: 'Air' })).toEqual([])
  expect(rowShownAs(rowsOf(laptops, [{ Price: 3 }]), '')).toBeNull()
})

test.each<[string, OpenSlot, string | number | null, string, Json]>([
  ['a choice that was offered', choice, 'air 15', 'the bigger one', rows[1]?.value ?? null],
  ['a choice that was not', choice, 'Mac Studio', 'Mac Studio', null],
  ['a code where names were offered', choice, 'TP-X1', 'TP-X1', null],
  ['a number for a choice', choice, 1, '1', null],
  ['a number that was said', seats, 12, 'make it 12', 12],
  ['a number that was said as a word', seats, 12, 'make it twelve', 12],
  ['a number that was not said', seats, 12, 'make it a dozen', null],
  ['a number out of range', seats, 500, '500 seats', null],
  ['no whole number', seats, 2.5, '2.5', null],
  ['a number as text', seats, '12', '12', null],
  ['words that were said', reason, 'MY OLD  one broke', 'well, my old\none broke.', 'my old\none broke'],
  ['words that were not', reason, 'business need', 'it broke', null],
  ['a piece of a word', reason, 'art', 'start', null],
  ['words with signs in them', reason, 'C++ (17)', 'for C++ (17) work', 'C++ (17)'],
  ['an empty text', reason, '  ', 'x', null],
  ['a text that fits', centre, 'cc-1234', 'CC-1234 or CC-4321', 'CC-1234'],
  ['a text that does not fit', centre, 'CC-12', 'CC-12', null],
  ['a piece of a longer number', centre, 'CC-1234', 'CC-12345', null],
  ['nothing', reason, null, 'x', null],
])('of the model, %s', (_, slot, value, message, kept) => expect(verifyValue(slot, value, message)).toEqual(kept))
