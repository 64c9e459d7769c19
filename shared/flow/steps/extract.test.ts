import { expect, test } from 'vitest'
import { atPick, kinds } from '../testing/laptops.ts'

test('extract: by name without a model, and by a verified answer of the model', () => {
  const byName = atPick()
  byName.say('the AIR-15 please')
  expect(kinds(byName)).toEqual([])
  expect(byName.state.slots['laptop']).toEqual({ Model: 'Air 15', Code: 'AIR-15' })

  const byModel = atPick({ values: { laptop: 'ThinkPad X1' } })
  byModel.say('the lenovo')
  expect(byModel.effects).toMatchObject([{ slots: [{ values: ['Air', 'Air 15', 'ThinkPad X1'] }] }])
  expect(byModel.state.slots['laptop']).toEqual({ Model: 'ThinkPad X1', Code: 'TP-X1' })
})

test('extract: a hostile answer fills nothing; a number off the list asks no model', () => {
  for (const values of [
    { laptop: 'Mac Studio' },
    { laptop: 3 },
    { seats: 9 },
    JSON.parse('{"__proto__": "Air"}'),
    null,
  ]) {
    const talk = atPick({ values })
    expect(talk.say('something else')[0]).toBe('That is not on the list.')
    expect(talk.state.slots).toEqual({ laptop: null, seats: null, cost_centre: null, reason: null })
  }
  const talk = atPick({ values: { laptop: 'Air' } })
  expect(talk.say('9')[0]).toBe('That is not on the list.')
  expect(kinds(talk)).toEqual([])
})

test('extract: a slot that is still empty has its branch; one without a branch may stay empty', () => {
  const talk = atPick()
  talk.say('1')
  talk.world.values = { seats: 3, reason: null }
  expect(talk.say('3 of them')).toEqual(['Which cost centre?'])
  talk.world.values = { reason: null }
  expect(talk.say('CC-1234')).toEqual(['Shall I order 3 of Air? (yes or no)'])
})

test('extract: what has a value is asked about only when nothing else was found', () => {
  const talk = atPick()
  talk.say('1')
  talk.world.values = { seats: 3, reason: null }
  talk.say('3 of them')
  talk.say('CC-1234')
  expect(talk.effects).toMatchObject([{ slots: [{ name: 'reason' }] }])
})
