import { expect, test } from 'vitest'
import { Fault } from '../../shared/errors/fault.ts'
import { binaryHeaders, readEnvelope } from './envelope.ts'

const binary = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-type': 't', 'ce-source': '/s' }
const structured = { 'content-type': 'application/cloudevents+json' }
const core = '"specversion":"1.0","id":"1","type":"t","source":"/s"'

test('binary data is never read, so it leaves as it came', () => {
  for (const bytes of [Buffer.from('{"a": 1.0, "b": 9007199254740993}'), Buffer.from([0, 255, 1]), Buffer.alloc(0)]) {
    const envelope = readEnvelope({ ...binary, 'content-type': 'application/json' }, bytes)
    expect(envelope.body).toEqual(bytes)
    expect(binaryHeaders(envelope)).toEqual({ ...binary, 'content-type': 'application/json' })
  }
})

test('structured data keeps its numbers, digit for digit', () => {
  const envelope = readEnvelope(structured, Buffer.from(`{${core},"data":{"a":1.0,"b":9007199254740993,"c":1e3}}`))
  expect(envelope.body.toString()).toBe('{"a":1.0,"b":9007199254740993,"c":1e3}')
  expect(envelope.attributes['datacontenttype']).toBe('application/json')
})

test('structured data: text, base64, a JSON string, null, none', () => {
  const body = (rest: string) => readEnvelope(structured, Buffer.from(`{${core}${rest}}`)).body.toString()
  expect(body(',"datacontenttype":"text/plain","data":"hello"')).toBe('hello')
  expect(body(',"data_base64":"aGVsbG8="')).toBe('hello')
  expect(body(',"data":"hello"')).toBe('"hello"')
  expect(body(',"data":null')).toBe('null')
  expect(body('')).toBe('')
})

test('extension values become their canonical text', () => {
  const { attributes } = readEnvelope(structured, Buffer.from(`{${core},"one":1,"yes":true,"word":"w","gone":null}`))
  expect(attributes).toMatchObject({ one: '1', yes: 'true', word: 'w' })
  expect(attributes).not.toHaveProperty('gone')
})

test('what no header can hold is percent-encoded on the way out and decoded on the way in', () => {
  const { attributes, body } = readEnvelope(structured, Buffer.from(`{${core},"subject":"Zürich 🌎 100%"}`))
  const headers = binaryHeaders({ attributes, body })
  expect(headers['ce-subject']).toBe('Z%C3%BCrich %F0%9F%8C%8E 100%25')
  expect(readEnvelope(headers, body).attributes['subject']).toBe('Zürich 🌎 100%')
})

test('a sender that encodes nothing is understood', () => {
  const latin = Buffer.from('Zürich').toString('latin1')
  expect(readEnvelope({ ...binary, 'ce-subject': latin }, Buffer.alloc(0)).attributes['subject']).toBe('Zürich')
  expect(readEnvelope({ ...binary, 'ce-subject': '100%' }, Buffer.alloc(0)).attributes['subject']).toBe('100%')
})

const refused: [says: string, headers: Record<string, string>, body: string][] = [
  ['no event at all', { 'content-type': 'application/json' }, '{}'],
  ['an unknown version', { ...binary, 'ce-specversion': '19.0' }, ''],
  ['version 0.3', { ...binary, 'ce-specversion': '0.3' }, ''],
  ['no version', { 'ce-id': '1', 'ce-type': 't', 'ce-source': '/s' }, ''],
  ['no id', { ...binary, 'ce-id': '' }, ''],
  ['no type', { ...binary, 'ce-type': '' }, ''],
  ['no source', { ...binary, 'ce-source': '' }, ''],
  ['a time that is none', { ...binary, 'ce-time': 'yesterday' }, ''],
  ['an attribute name with a dash', { ...binary, 'ce-my-name': 'x' }, ''],
  ['an attribute called data', { ...binary, 'ce-data': 'x' }, ''],
  ['a line break smuggled in', { ...binary, 'ce-subject': 'a%0d%0aX-Evil: 1' }, ''],
  ['a batch', { 'content-type': 'application/cloudevents-batch+json' }, '[]'],
  ['another format', { 'content-type': 'application/cloudevents+xml' }, '<event/>'],
  ['half an object', structured, '{"specversion":'],
  ['a list', structured, '[]'],
  ['data twice', structured, `{${core},"data":1,"data_base64":"MQ=="}`],
  ['an attribute that is an object', structured, `{${core},"x":{}}`],
  ['an attribute that is a fraction', structured, `{${core},"x":1.5}`],
  ['half a surrogate', structured, `{${core},"x":"\\ud800"}`],
  ['attributes that no delivery could carry', structured, `{${core},"x":"${'y'.repeat(12_000)}"}`],
  ['a content type that no header can hold', structured, `{${core},"datacontenttype":"text/🌎","data":"x"}`],
]

for (const [says, headers, body] of refused) {
  test(`refused: ${says}`, () => {
    let thrown: unknown
    try {
      readEnvelope(headers, Buffer.from(body))
    } catch (error) {
      thrown = error
    }
    expect(Fault.is(thrown) && thrown.code.startsWith('event.')).toBe(true)
  })
}
