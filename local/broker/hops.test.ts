import { expect, test } from 'vitest'
import { enter, withoutTtl, withTtlOf } from './hops.ts'

const now = new Date('2026-01-02T03:04:05.678Z')
const event = (ttl?: string) => ({
  attributes: {
    specversion: '1.0',
    id: '1',
    type: 't',
    source: '/s',
    ...(ttl === undefined ? {} : { knativebrokerttl: ttl }),
  },
  body: Buffer.from('x'),
})

// knative/eventing pkg/broker/ttl.go (TTLDefaulter) and pkg/broker/ingress/ingress_handler.go
const counts: [before: string | undefined, after: string | null][] = [
  [undefined, '255'],
  ['255', '254'],
  ['2', '1'],
  ['1', null],
  ['0', null],
  ['-5', null],
  ['many', '255'],
]

for (const [before, after] of counts) {
  test(`channel: a count of ${before ?? 'nothing'} enters as ${after ?? 'a refusal'}`, () => {
    const entry = enter(event(before), 'channel', now)
    if (after === null) expect(entry.kind).toBe('exhausted')
    else expect(entry).toMatchObject({ envelope: { attributes: { knativebrokerttl: after } } })
  })
}

test('channel: the arrival time is written at each entry', () => {
  expect(enter(event(), 'channel', now)).toMatchObject({
    envelope: { attributes: { knativearrivaltime: '2026-01-02T03:04:05.678Z' } },
  })
})

test('kafka: nothing is counted and nothing added', () => {
  expect(enter(event(), 'kafka', now)).toEqual({ kind: 'entered', envelope: event() })
  expect(enter(event('0'), 'kafka', now)).toEqual({ kind: 'entered', envelope: event('0') })
})

test("a subscriber doesn't see the count, and its reply gets its cause's, whatever it wrote", () => {
  expect(withoutTtl(event('7'))).toEqual(event())
  expect(withTtlOf(event('200'), event('7'), 'channel')).toEqual(event('7'))
  expect(withTtlOf(event(), event('7'), 'kafka')).toEqual(event())
})
