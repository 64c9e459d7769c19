import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createEventReader, type ServerEvent } from './sse.ts'

const all = (pieces: string[], lastId?: string): ServerEvent[] => {
  const read = createEventReader(lastId)
  return pieces.flatMap((piece) => read(piece))
}

test('fields, types, ids and comments, as HTML section 9.2.6 has them', () => {
  expect(all([': hello\n\nid: a/1\nevent: message\ndata: {"x":1}\n\n'])).toEqual([
    { id: 'a/1', type: 'message', data: '{"x":1}' },
  ])
  // The id stays for what comes after; a type does not; lines of data are joined.
  expect(all(['id: 1\ndata:a\n\nevent: idle\ndata: b\ndata:  c\n\ndata\n\n'])).toEqual([
    { id: '1', type: 'message', data: 'a' },
    { id: '1', type: 'idle', data: 'b\n c' },
    { id: '1', type: 'message', data: '' },
  ])
  // Without data there is no event; what has no end is none yet; an id with NUL is ignored.
  expect(all(['event: x\nid: 2\n\ndata: y\n', 'id: \0\n'], '1')).toEqual([])
  expect(all(['data: y\n\n'], '7')).toEqual([{ id: '7', type: 'message', data: 'y' }])
  expect(all(['\uFEFFdata: y\r\rdata: z\r\n\r\n'])).toMatchObject([{ data: 'y' }, { data: 'z' }])
})

test('wherever the pieces are cut, the events are the same', () => {
  const stream =
    ': hi\r\n\r\nid: s/1\r\nevent: message\r\ndata: {"a":"é"}\r\n\r\nevent: idle\ndata: {}\n\nid: 9\rdata: q\r\rdata: r\n\n'
  const whole = all([stream])
  expect(whole).toHaveLength(4)
  void fc.assert(
    fc.property(fc.array(fc.nat(stream.length), { maxLength: 8 }), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), stream.length]
      expect(all(places.slice(1).map((end, index) => stream.slice(places[index], end)))).toEqual(whole)
    }),
  )
})
