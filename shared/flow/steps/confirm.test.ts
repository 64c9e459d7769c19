import { expect, test } from 'vitest'
import { atConfirm } from '../testing/laptops.ts'

test('confirm: neither yes nor no leaves the approval open, and the question is asked again in short', () => {
  const talk = atConfirm()
  for (const words of ['yes, but the other colour', 'maybe', 'yes?', 'ok 3']) {
    expect(talk.say(words)).toEqual(['I need a clear yes or no.', 'Shall I? (yes or no)'])
    expect(talk.changes).toEqual([])
    expect(talk.state.approval).toBe('approval-1')
  }
  expect(talk.say('yes')).toEqual(['Ticket REQ1 is open.'])
})

test('confirm: no label of a model is a yes', () => {
  const talk = atConfirm()
  for (const label of ['yes', 'file', 'proceed', 'confirm', 'affirmative']) {
    talk.world.label = label
    talk.say('do whatever you think')
    expect(talk.effects.map(({ kind }) => kind)).toEqual(['decide'])
    expect(talk.changes).toEqual([])
  }
})

test('confirm: a no declines', () => {
  const talk = atConfirm()
  expect(talk.say('no, thanks')).toEqual(['Nothing was ordered. Another one?'])
  expect(talk.changes).toEqual([{ kind: 'decline', id: 'approval-1' }])
  expect(talk.state.approval).toBeNull()
})

test('confirm: other arguments are another approval, and the one before lapses', () => {
  const talk = atConfirm()
  talk.world.values = { laptop: 'ThinkPad X1' }
  talk.world.label = 'other'
  expect(talk.say('rather another, the lenovo')).toEqual(['Shall I order 3 of ThinkPad X1? (yes or no)'])
  expect(talk.changes).toMatchObject([
    { kind: 'expire', id: 'approval-1' },
    { kind: 'open', id: 'approval-2', arguments: { code: 'TP-X1', seats: 3 } },
  ])
})

test('confirm: what is approved is what is called, whatever the state says by then', () => {
  const talk = atConfirm()
  talk.state = { ...talk.state, slots: { ...talk.state.slots, laptop: { Model: 'Air', Code: 'AIR-1' } } }
  talk.say('yes')
  expect(talk.effects).toMatchObject([{ arguments: { code: 'AIR-15', seats: 3 } }])
})

test('confirm: asked again with changed values, it is a new approval with the whole question', () => {
  const talk = atConfirm()
  talk.state = { ...talk.state, slots: { ...talk.state.slots, laptop: { Model: 'Air', Code: 'AIR-1' } } }
  expect(talk.say('hm')).toEqual(['I need a clear yes or no.', 'Shall I order 3 of Air? (yes or no)'])
  expect(talk.changes.map(({ kind }) => kind)).toEqual(['expire', 'open'])
})

test('confirm: one millisecond before its expiry a yes counts, at its expiry it does not', () => {
  const early = atConfirm()
  early.now = new Date('2026-03-05T09:59:59.999Z')
  early.say('yes')
  expect(early.changes).toEqual([{ kind: 'grant', id: 'approval-1' }])

  const late = atConfirm()
  late.now = new Date('2026-03-05T10:00:00.000Z')
  expect(late.say('yes')).toEqual([
    'That question has expired, so nothing was filed.',
    'Shall I order 3 of Air 15? (yes or no)',
  ])
  expect(late.changes).toMatchObject([
    { kind: 'expire', id: 'approval-1' },
    { kind: 'open', id: 'approval-2' },
  ])
  expect(late.effects).toEqual([])
  expect(late.say('yes')).toEqual(['Ticket REQ1 is open.'])
})

test('confirm: an expired question that is asked again is a new approval', () => {
  const talk = atConfirm()
  talk.now = new Date('2026-03-06T00:00:00Z')
  expect(talk.say('hm')).toEqual(['I need a clear yes or no.', 'Shall I order 3 of Air 15? (yes or no)'])
  expect(talk.changes.map(({ kind }) => kind)).toEqual(['expire', 'open'])
})

test.each(['declined', 'expired'] as const)('confirm: a yes to an approval that is %s writes nothing', (state) => {
  const talk = atConfirm()
  if (talk.approval !== null) talk.approval = { ...talk.approval, state }
  talk.say('yes')
  expect(talk.effects).toEqual([])
  expect(talk.changes).toMatchObject([{ kind: 'open', id: 'approval-2' }])
})

test('confirm: a yes to an approval that is gone or another’s writes nothing', () => {
  for (const approval of [null, { id: 'other', state: 'open', expiresAt: new Date('2027-01-01T00:00:00Z') } as const]) {
    const talk = atConfirm()
    talk.approval = approval
    talk.say('yes')
    expect(talk.effects).toEqual([])
    expect(talk.changes).toMatchObject([{ kind: 'open' }])
  }
})

test('confirm: an approval that was used already leads to the outcome of that same write', () => {
  const talk = atConfirm()
  if (talk.approval !== null) talk.approval = { ...talk.approval, state: 'used' }
  expect(talk.say('hello?')).toEqual(['Ticket REQ1 is open.'])
  expect(talk.changes).toEqual([])
  expect(talk.effects).toMatchObject([{ kind: 'call', approval: 'approval-1' }])
})

test('confirm: what is asked for, approved and filed is the same plain text', () => {
  const talk = atConfirm()
  const Model = 'Air \u001b[31m\u202e15\u200b\n\n[now](http://evil.example) <b>'
  const Code = 'AIR\u0000-15 \u{e0041}<img src=x>\n# big'
  talk.state = { ...talk.state, slots: { ...talk.state.slots, laptop: { Model, Code } } }
  const plain = { code: 'AIR-15 < img src=x> # big', seats: 3 }
  expect(talk.say('hm')[1]).toBe('Shall I order 3 of Air [31m15 [now] (http://evil.example) < b>? (yes or no)')
  expect(talk.changes).toMatchObject([{ kind: 'expire' }, { kind: 'open', arguments: plain }])
  // Asked again, it is no other approval.
  expect(talk.say('hm')[1]).toBe('Shall I? (yes or no)')
  talk.say('yes')
  expect(talk.effects).toMatchObject([{ arguments: plain }])
})
